"""How many passwords a second this machine hashes by bcrypt of cost 10: the most that a usual server in Go signs in."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import bcrypt

COST, EACH = 10, 12


def bcrypt_rate() -> float:
    """On all cores at once, for bcrypt lets other threads run meanwhile."""
    threads, begun = os.cpu_count() or 1, time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(_hash_some) for _ in range(threads)]:
            done.result()
    return threads * EACH / (time.monotonic() - begun)


def _hash_some() -> None:
    for _ in range(EACH):
        bcrypt.hashpw(b"correct horse battery", bcrypt.gensalt(COST))
