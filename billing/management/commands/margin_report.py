"""`manage.py margin_report --from 2026-05-01 --to 2026-05-31 [--csv] [--currency usd]`: revenue and cost.

By plan, account and product; UTC days, both included. `--csv` writes one row per account.
"""

import csv
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import money
from billing.ledger.overruns import Overrun
from billing.purchases import margin
from billing.purchases.daily_margin import largest_first
from billing.purchases.margin import Margin, Report
from billing.purchases.margin_by_product import by_product
from genvid.spreadsheets import escape_formula
from genvid.staff_reports import BreakdownRow

COLUMNS = (
    *("account_id", "account", "plan", "currency", "revenue", "credits_sold", "credits_used", "credits_expired"),
    *("credits_taken_back", "provider_microdollars", "margin", "margin_percent"),
    *("overruns", "credits_overrun", "unknown_costs"),
)


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day like 2026-05-31.") from None


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=day, required=True)
        parser.add_argument("--to", dest="last", type=day, required=True)
        parser.add_argument("--currency", default="usd")
        parser.add_argument("--csv", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["last"] < options["first"]:
            raise CommandError("--to lies before --from.")
        report = margin.margin_report(options["first"], options["last"], currency=options["currency"].lower())
        if options["csv"]:
            self._as_csv(report)
        else:
            self._as_text(report, options["first"], options["last"])

    def _as_text(self, report: Report, first: date, last: date) -> None:
        self.stdout.write(_line("Everybody", report.total, report.currency))
        for title, rows in (("By plan", report.by_plan), ("By account", _named(report))):
            self.stdout.write(f"\n{title}")
            for name, each in sorted(rows.items(), key=lambda row: largest_first(row[1])):
                self.stdout.write(_line(name, each, report.currency))
        self.stdout.write("\nBy product")
        for product in by_product(first, last):
            self.stdout.write(_product_line(product))
        if report.overruns:
            self.stdout.write("\nFar longer than was held for them")
        for overrun in report.overruns:
            self.stdout.write(_overrun_line(overrun, report))

    def _as_csv(self, report: Report) -> None:
        writer = csv.writer(self.stdout)
        writer.writerow(COLUMNS)
        for account_id, each in sorted(report.by_account.items(), key=lambda row: largest_first(row[1])):
            name = report.names.get(account_id, "")
            beside = (report.plans.get(account_id, ""), report.currency, each.revenue, each.credits_sold)
            figures = (each.credits_used, each.credits_expired, each.credits_taken_back, each.provider_microdollars)
            result = (each.margin, each.margin_percent, each.overruns, each.credits_overrun, each.unknown_costs)
            writer.writerow((account_id, escape_formula(name), *beside, *figures, *result))


def _named(report: Report) -> dict[str, Margin]:
    return {f"{report.names.get(pk, '')} ({pk})": each for pk, each in report.by_account.items()}


def _line(name: str, each: Margin, currency: str) -> str:
    cost = margin.cost_text(each.provider_microdollars, each.unknown_costs)
    left = margin.margin_text(each.margin, currency, each.unknown_costs)
    percent = "" if each.margin_percent is None else f" ({each.margin_percent} %)"
    return (
        f"{name}: revenue {money.money_text(each.revenue, currency)}, provider cost {cost}, "
        f"margin {left}{percent}; credits: {each.credits_sold} sold, "
        f"{each.credits_used} used, {each.credits_expired} expired, {each.credits_taken_back} taken back"
    )


def _product_line(each: BreakdownRow) -> str:
    cost = margin.cost_text(each.provider_microdollars, each.unknown_costs)
    return f"{each.name}: {each.units['charges']} charged, {each.units['credits']} credits, provider cost {cost}"


def _overrun_line(each: Overrun, report: Report) -> str:
    name = f"{report.names.get(each.account_id, '')} ({each.account_id})"
    times = each.needed / max(1, each.held)
    return (
        f"{each.settled_at:%Y-%m-%d %H:%M} {each.reference} of {name}: "
        f"{each.held} credits held, {each.needed} needed ({times:.1f} times)"
    )
