"""The render pipeline beside the naive design: `python -m bench [--quick] [--only webhooks-200]`.

Exits 1 when a target is missed.
"""

import argparse
import signal
import sys
from typing import Any

from bench.plan import FULL, POSTGRES_FLAGS, QUICK, SETTINGS, Case
from genvid.tests.deployment import Deployment


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="no naive design, and one case of polling")
    parser.add_argument("--only", default="", help="cases with this in their name: webhooks-200, naive, 2000, 10s")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    parser.add_argument("--statements", action="store_true", help="which SQL statements a video costs")
    options = parser.parse_args()
    # An exception lets every `with` stop its processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))
    cases = [case for case in (QUICK if options.quick else FULL) if options.only in case.name]
    deployment = Deployment(SETTINGS, postgres_flags=POSTGRES_FLAGS, renderer="canned")
    deployment.web.environment["BENCH_FOLDER"] = str(deployment.folder)
    try:
        with deployment:
            return play(deployment, cases, statements=options.statements)
    finally:
        if options.keep:
            say(f"bench: logs and counts are in {deployment.folder}")
        else:
            deployment.remove_folder()


def play(deployment: Deployment, cases: list[Case], *, statements: bool) -> int:
    from bench import orders, report  # noqa: PLC0415 - models are loaded only now

    people = orders.make_customers()
    found = [_measured(deployment, case, people, statements=statements) for case in cases]
    for line in report.tables(found):
        say(line)
    say("")
    kept = [_print_target(*target) for target in report.targets(found)]
    return 0 if all(kept) else 1


def _measured(deployment: Deployment, case: Case, people: list[Any], *, statements: bool) -> Any:
    from bench import measure, report  # noqa: PLC0415 - models are loaded only now

    say(f"bench: {case.name}, {case.videos} videos")
    figures = measure.run(deployment, case, people)
    say(f"bench: {case.name} took {figures.seconds:.0f} s")
    say(f"bench: {report.routes(figures)}")
    if statements:
        for line in report.shapes(deployment.folder, case):
            say(line)
    return figures


def _print_target(target: str, kept: bool) -> bool:
    say(f"{'kept  ' if kept else 'MISSED'} {target}")
    return kept


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
