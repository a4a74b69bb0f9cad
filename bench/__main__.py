"""The render pipeline beside the naive design: `python -m bench [--quick] [--only webhooks-200]`.

Exits 1 when a target is missed.
"""

import argparse
import itertools
import signal
import sys
from typing import Any

from bench.plan import FULL, QUICK, Case
from bench.stage import Stage


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200 in flight only")
    parser.add_argument("--only", default="", help="cases with this in their name: webhooks-200, naive, 2000")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    parser.add_argument("--statements", action="store_true", help="which SQL statements a video costs")
    options = parser.parse_args()
    # Ending by an exception lets every `with` put its processes away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))
    cases = [case for case in (QUICK if options.quick else FULL) if options.only in case.name]
    stage = Stage()
    try:
        with stage:
            return play(stage, cases, statements=options.statements)
    finally:
        if options.keep:
            say(f"bench: logs and counts are in {stage.folder}")
        else:
            stage.clear_away()


def play(stage: Stage, cases: list[Case], *, statements: bool) -> int:
    from bench import orders, report  # noqa: PLC0415 - models are loaded only now

    people = orders.make_customers()
    kept = []
    for _, group in itertools.groupby(cases, key=lambda case: case.in_flight):
        found = [_measured(stage, case, people, statements=statements) for case in group]
        for line in report.tables(found):
            say(line)
        kept += [_say_whether(*target) for target in report.targets(found)]
    return 0 if all(kept) else 1


def _measured(stage: Stage, case: Case, people: list[Any], *, statements: bool) -> Any:
    from bench import measure, report  # noqa: PLC0415 - models are loaded only now

    say(f"bench: {case.name}, {case.videos} videos")
    figures = measure.run(stage, case, people)
    say(f"bench: {case.name} took {figures.seconds:.0f} s")
    say(f"bench: {report.routes(figures)}")
    if statements:
        for line in report.shapes(stage.counts, case):
            say(line)
    return figures


def _say_whether(target: str, kept: bool) -> bool:
    say(f"{'kept  ' if kept else 'MISSED'} {target}")
    return kept


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
