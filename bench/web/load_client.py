"""Sends the requests of a file from many clients at once: what `requests.lua` does, for a machine without wrk.

`python -m bench.web.load_client URL FILE KEY CLIENTS SECONDS`. It needs about as much CPU as the server that it asks,
so its rates are lower than those of wrk; ratios between servers are near them.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

from bench.web.traffic import KEY, SEPARATOR

BROKEN = 0


async def run(url: str, file: Path, key: str, clients: int, seconds: float) -> dict[str, float]:
    texts = _with_keys(file.read_bytes().split(SEPARATOR)[1:], key.encode())
    begun = time.perf_counter()
    jobs = [_client(url, texts, begun + seconds) for _ in range(clients)]
    answers = [answer for job in await asyncio.gather(*jobs) for answer in job]
    return figures(answers, time.perf_counter() - begun)


def _with_keys(texts: list[bytes], key: bytes) -> Iterator[bytes]:
    for number, text in enumerate(itertools.cycle(texts)):
        yield text.replace(KEY, key + b"-%d" % number)


async def _client(url: str, texts: Iterator[bytes], until: float) -> list[tuple[float, int]]:
    """Latency in milliseconds and status of each answer."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    answers = []
    while (sent := time.perf_counter()) < until:
        writer.write(next(texts))
        status = await read_answer(reader)
        answers.append(((time.perf_counter() - sent) * 1e3, status))
        if status == BROKEN:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.close()
    return answers


async def read_answer(reader: asyncio.StreamReader) -> int:
    """The status, after the whole answer has been read; BROKEN when it did not come."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        _, _, after = head.partition(b"content-length:")
        await reader.readexactly(int(after.split(b"\r\n")[0]) if after else 0)
    except (asyncio.IncompleteReadError, ConnectionError):
        return BROKEN
    return int(head.split()[1])


def figures(answers: list[tuple[float, int]], seconds: float) -> dict[str, float]:
    times = sorted(time for time, _ in answers)
    cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    statuses = [status for _, status in answers]
    return {
        "requests": len(answers),
        "seconds": seconds,
        "p50": cuts[49],
        "p99": cuts[98],
        "refused": sum(status >= 400 for status in statuses),
        "broken": statuses.count(BROKEN),
    }


if __name__ == "__main__":
    target, requests, prefix, clients, seconds = sys.argv[1:]
    found = asyncio.run(run(target, Path(requests), prefix, int(clients), float(seconds)))
    print("figures", json.dumps(found))  # noqa: T201 - bench.web.load reads it
