"""The API beside a reference design, both under load: `python -m bench.web [--quick] [--json FILE] [--only page]`.

Exits 1 when a goal is missed.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any

from bench.web import goals, load, results
from bench.web.bcrypt_rate import bcrypt_rate
from bench.web.calls import COUNTED_IN_LONG_QUEUE, EMPTY_QUEUE, LONG_QUEUE, TITLES
from bench.web.results import Result
from bench.web.sizes import CLIENTS, FULL, QUICK, Size
from bench.web.stack import Stack


def main() -> int:
    options = _parser().parse_args()
    # An exception lets every `with` stop its processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))
    size = QUICK if options.quick else FULL
    result = Result(_about(size))
    say(f"bench: load average {_load_average()} before, {os.cpu_count()} cores, client {load.client_name()}")
    with Stack() as stack:
        play(stack, size, result, only=options.only)
    result.about["bcrypt_rate"] = bcrypt_rate()
    result.about["load_after"] = os.getloadavg()
    return report(result, options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench.web", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK.videos:,} videos instead of {FULL.videos:,}")
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    parser.add_argument("--only", nargs="+", metavar="CALL", default=[*TITLES], help=", ".join(TITLES))
    return parser


def play(stack: Stack, size: Size, result: Result, *, only: list[str]) -> None:
    # Models can be imported only now that Django is set up.
    from bench.web import callers, rows  # noqa: PLC0415 - models load only once Django is set up
    from bench.web.rounds import Rounds  # noqa: PLC0415 - models load only once Django is set up

    say(f"bench: {size.videos:,} videos are loaded")
    rows.load(size)
    stack.start_servers()
    rounds = Rounds(stack, callers.make_traffic(size), size, result, say)
    rounds.measure([call for call in EMPTY_QUEUE if call.name in only])
    long_queue = [call for call in LONG_QUEUE if call.name in only]
    counted = [call for call in COUNTED_IN_LONG_QUEUE if call.name in only]
    if long_queue or counted:
        rows.load_waiting(size)
        rounds.worker = stack.start_worker()
        rounds.measure(long_queue)
        for call in counted:
            rounds.count(call)


def report(result: Result, file: Path | None) -> int:
    checks = [*goals.checks(result)]
    if file:
        results.write(result, checks, file)
    say("", f"requests a second at {CLIENTS} clients, latencies in ms; load average {_load_average()} after")
    say(*results.table(result, TITLES), "")
    say(*(f"{'kept  ' if kept else 'MISSED'} {goal}" for goal, kept in checks))
    return 0 if all(kept for _, kept in checks) else 1


def _about(size: Size) -> dict[str, Any]:
    machine = {"cores": os.cpu_count(), "client": load.client_name(), "clients": CLIENTS}
    return {**machine, "videos": size.videos, "load_before": os.getloadavg()}


def _load_average() -> str:
    return " ".join(f"{figure:.1f}" for figure in os.getloadavg())


def say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
