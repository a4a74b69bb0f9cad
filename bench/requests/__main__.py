"""CPU time per request: `python -m bench.requests [--json FILE] [--compare FILE ...]`.

Compare two checkouts by alternating runs, because a machine's speed drifts. Copy bench/requests/ into the older one,
alternate `.venv/bin/python -m bench.requests --json FILE` in both, then run `.venv/bin/python -m bench.requests --read
NEWER_FILES --compare OLDER_FILES`.
"""

import argparse
import signal
import sys
from pathlib import Path

from bench.requests.report import Result, comparison, read, table, write
from bench.requests.stage import stage

WARM_UP = 10


def main() -> None:
    options = _parser().parse_args()
    # An exception lets every `with` stop its processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))
    result = read(options.read) if options.read else run(options.rounds, options.requests)
    if options.json:
        write(result, options.json)
    say(*table(result))
    if options.compare:
        say("", *comparison(read(options.compare), result))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench.requests", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30, help="of each case, in turns (30)")
    parser.add_argument("--requests", type=int, default=5, help="in each round (5)")
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    parser.add_argument("--compare", type=Path, nargs="+", help="print ratios to these earlier figures, pooled")
    parser.add_argument("--read", type=Path, nargs="+", help="measure nothing: take these figures, pooled")
    return parser


def run(rounds: int, requests: int) -> Result:
    with stage():
        # Models can be imported only now that Django is set up.
        from bench.requests.cases import make_cases  # noqa: PLC0415 - models load only once Django is set up
        from bench.requests.measure import measure  # noqa: PLC0415 - models load only once Django is set up

        return measure(make_cases(), rounds=rounds, requests=requests, warm_up=WARM_UP)


def say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
