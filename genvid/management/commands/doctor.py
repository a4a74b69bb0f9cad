"""`manage.py doctor`: asks every neighbour of this installation, and says in one line each what to do."""

import json
import logging
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand

from genvid.doctor import Level, Report, examine, select
from genvid.doctor.checks import PARTS
from genvid.mail.doctor import TEST_MAIL


class Command(BaseCommand):
    help = (
        "Asks database, Redis, storage, mail, HeyGen, Stripe, beat and queues, and says what to do. 1: a part failed."
    )
    # They are one of its parts.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", action="append", choices=PARTS, default=[], help="this part; may be repeated")
        parser.add_argument("--mail", action="store_true", help="send a mail to ALARM_EMAILS, too")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *args: Any, only: list[str], mail: bool, **options: Any) -> None:
        # The lines of this program are its answer.
        logging.disable(logging.CRITICAL)
        try:
            checks = [*select(only), *([TEST_MAIL] if mail else [])]
            reports = self._print(examine(checks), as_json=options["json"])
        finally:
            logging.disable(logging.NOTSET)
        if any(each.level == Level.FAILED for each in reports):
            sys.exit(1)

    def _print(self, reports: Iterable[Report], *, as_json: bool) -> list[Report]:
        if as_json:
            reports = list(reports)
            self.stdout.write(json.dumps(as_object(reports)))
            return reports
        printed = []
        for each in reports:
            advice = f" → {each.advice}" if each.advice else ""
            self.stdout.write(f"{each.part:<11}{each.level.word:<8} {each.found}{advice}")
            printed.append(each)
        return printed


def as_object(reports: list[Report]) -> dict[str, Any]:
    parts = [
        {"name": each.part, "status": each.level.word, "found": each.found, "advice": each.advice} for each in reports
    ]
    return {"ok": all(each.level != Level.FAILED for each in reports), "parts": parts}
