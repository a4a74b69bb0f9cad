"""The margin report, with figures computed by hand."""

import csv
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.credits import charge, expire
from billing.plans.rates import provider_cost
from billing.purchases import margin
from billing.tests.shop import charge_of
from genvid.tests.asserts import queries_of
from genvid.tests.factories import make_caller, make_payment, make_video

pytestmark = pytest.mark.django_db


def charge_fee(owner, reference: str, amount: int, cost: int | None) -> None:
    charge(owner.account.pk, amount, reference=reference, description="A fee", provider_microdollars=cost)


def today() -> margin.Report:
    day = timezone.now().date()
    return margin.margin_report(day, day)


def test_the_margin_report_of_an_idle_site_is_zero():
    assert (today().total, today().by_account) == (margin.Margin(), {})


def test_revenue_is_money_that_was_not_refunded(shop, owner):
    shop.buy(owner, "pack-100")
    shop.buy(owner, "pack-500")
    shop.deliver_events()
    shop.stripe.refund(charge_of(owner), amount=500)
    shop.deliver_events()
    assert today().total.revenue == 1200 + 5500 - 500


def test_credits_are_counted_by_what_became_of_them(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    make_video(owner, "completed")
    shop.stripe.refund(charge_of(owner), amount=600)
    shop.deliver_events()
    expire(timezone.now() + timedelta(days=400))
    total = today().total
    assert (total.credits_sold, total.credits_used, total.credits_taken_back) == (100, 3, 50)
    assert total.credits_expired == 47


def test_welcome_credits_are_not_sold(owner):
    make_video(owner, "completed")
    assert (today().total.credits_sold, today().total.credits_used) == (0, 3)


def test_rendering_costs_what_the_rate_table_says(owner):
    make_video(owner, "completed")
    # 2.5 seconds at 66,700 micro-dollars: sixteen cents and a half.
    assert (today().total.provider_microdollars, today().total.margin) == (166_750, -17)


def test_a_video_that_failed_cost_nothing(owner):
    make_video(owner, "failed")
    assert today().total == margin.Margin()


def test_the_margin_is_revenue_less_rendering_cost(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    make_video(owner, "completed")
    assert (today().total.margin, today().total.margin_percent) == (1183, 98.6)


def test_revenue_in_another_currency_than_that_of_the_costs_has_no_margin(owner):
    make_payment(owner, currency="eur", amount=500)
    make_video(owner, "completed")
    day = timezone.now().date()
    report = margin.margin_report(day, day, currency="eur")
    assert (report.total.revenue, report.total.provider_microdollars) == (500, 166_750)
    assert [(each.margin, each.margin_percent) for each in (report.total, *report.by_account.values())] == [
        (None, None),
        (None, None),
    ]
    text = StringIO()
    call_command("margin_report", "--from", str(day), "--to", str(day), "--currency", "EUR", stdout=text)
    assert "Everybody: revenue 5.00 EUR, provider cost 0.17 USD, margin -; credits" in text.getvalue()


def test_accounts_are_grouped_by_their_plan(shop, owner, outsider):
    shop.subscribe(owner, "pro-month")
    shop.buy(outsider, "pack-100")
    shop.deliver_events()
    revenue = {name: each.revenue for name, each in today().by_plan.items()}
    assert revenue == {"Pro": 4900, margin.NO_PLAN: 1200}


def test_the_margin_report_leaves_other_days_out(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    yesterday = timezone.now().date() - timedelta(days=1)
    assert margin.margin_report(yesterday, yesterday).total == margin.Margin()


def test_the_margin_report_leaves_other_currencies_out(owner):
    make_payment(owner, currency="eur")
    make_payment(owner)
    day = timezone.now().date()
    assert (today().total.revenue, margin.margin_report(day, day, currency="eur").total.revenue) == (1200, 1200)


def test_more_accounts_take_no_more_queries(owner):
    make_payment(owner)
    with_one = queries_of(today)
    for _ in range(3):
        make_payment(make_caller())
    assert queries_of(today) == with_one


def printed(*words: str) -> str:
    out = StringIO()
    day = timezone.now().date().isoformat()
    call_command("margin_report", "--from", day, "--to", day, *words, stdout=out)
    return out.getvalue()


def test_the_margin_report_command_prints_the_report(owner):
    make_payment(owner)
    assert "Everybody: revenue 12.00 USD, provider cost 0.00 USD, margin 12.00 USD (100.0 %)" in printed()


def test_a_cost_that_is_not_known_is_counted(owner):
    charge_fee(owner, "speech:1", 2, 80_000)
    charge_fee(owner, "voice:1", 10, None)
    total = today().total
    assert (total.credits_used, total.provider_microdollars, total.unknown_costs) == (12, 80_000, 1)


@pytest.mark.parametrize(
    ("microdollars", "unknown", "text"),
    [(0, 0, "0.00 USD"), (80_000, 0, "0.08 USD"), (80_000, 2, "0.08 USD and 2 unknown"), (0, 2, "unknown")],
)
def test_unknown_costs_are_never_shown_as_nothing(microdollars, unknown, text):
    assert margin.cost_text(microdollars, unknown) == text


def test_the_margin_report_command_says_that_a_cost_is_unknown(owner):
    make_payment(owner)
    charge_fee(owner, "voice:1", 10, None)
    lines = printed().splitlines()
    assert "revenue 12.00 USD, provider cost unknown, margin at most 12.00 USD (100.0 %)" in lines[0]
    assert lines[lines.index("By product") + 1] == "voice: 1 charged, 10 credits, provider cost unknown"
    (row,) = csv.DictReader(StringIO(printed("--csv")))
    assert row["unknown_costs"] == "1"


def test_the_margin_report_command_writes_csv(owner):
    make_payment(owner)
    (row,) = csv.DictReader(StringIO(printed("--csv")))
    assert (row["account"], row["revenue"], row["margin"], row["margin_percent"]) == (
        "Olive Films",
        "1200",
        "1200",
        "100.0",
    )


def test_a_name_is_no_formula_in_staffs_spreadsheet():
    make_payment(make_caller(company_name="=HYPERLINK(1)"))
    (row,) = csv.DictReader(StringIO(printed("--csv")))
    assert row["account"] == "'=HYPERLINK(1)"


@pytest.mark.parametrize("days", [("2026-05-02", "2026-05-01"), ("soon", "2026-05-01")])
def test_the_margin_report_command_refuses_invalid_days(days):
    with pytest.raises(CommandError):
        call_command("margin_report", "--from", days[0], "--to", days[1])


def test_seconds_of_a_cheap_engine_cost_less():
    cost = provider_cost(engine="avatar_iii", avatar_kind="studio_avatar", resolution="720p", seconds=Decimal("10"))
    assert cost == 167_000
