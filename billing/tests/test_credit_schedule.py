"""Credits of invoices, with figures computed by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing.enums import InvoiceStatus
from billing.models import Plan, PlanPrice
from billing.purchases.credit_schedule import entitlements_of_invoice, price_stops, unused_credits
from billing.stripe.stripe_types import InvoiceLine, InvoiceState
from genvid.tests.properties import given, st

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
END = datetime(2026, 2, 28, 12, tzinfo=UTC)
NEXT_YEAR = datetime(2027, 1, 31, 12, tzinfo=UTC)


def price(stripe_id: str, amount: int, credits: int, interval: str = "month") -> PlanPrice:
    plan = Plan(name=stripe_id, trial_credits=20)
    return PlanPrice(plan=plan, stripe_price_id=stripe_id, amount=amount, interval=interval, credits=credits)


PRICES = {
    each.stripe_price_id: each
    for each in (
        price("starter", 1_900, 170),
        price("pro", 4_900, 480),
        price("starter_year", 19_000, 170, "year"),
        price("pro_year", 49_000, 480, "year"),
    )
}


def line(
    price_id: str, amount: int, *, proration: bool = False, start=START, end=END, quantity: int = 1
) -> InvoiceLine:
    return InvoiceLine(f"il_{price_id}_{amount}", price_id, quantity, amount, proration, start, end)


def invoice(*lines: InvoiceLine, created=START) -> InvoiceState:
    amount = sum(each.amount for each in lines)
    return InvoiceState(
        id="in_1",
        customer_id="cus_1",
        subscription_id="sub_1",
        status=InvoiceStatus.PAID,
        reason="subscription_cycle",
        number="1",
        amount_due=amount,
        amount_paid=max(0, amount),
        currency="usd",
        attempts=1,
        created_at=created,
        period_start=START,
        period_end=END,
        hosted_url="",
        pdf_url="",
        next_attempt_at=None,
        paid_at=created,
        payment_intent_id="pi_1",
        lines=list(lines),
    )


def given_by(*lines: InvoiceLine) -> list[int]:
    return [each.credits for each in entitlements_of_invoice(invoice(*lines), PRICES)]


def test_a_month_gives_its_credits_at_once():
    (each,) = entitlements_of_invoice(invoice(line("starter", 1_900)), PRICES)
    assert (each.credits, each.due_at, each.ends_at) == (170, START, END)


def test_a_quantity_multiplies():
    assert given_by(line("starter", 3_800, quantity=2)) == [340]


def test_a_coupon_does_not_take_credits_away():
    """Stripe's lines are before discounts: who pays half by an operator's coupon gets the plan all the same."""
    assert given_by(line("starter", 1_900)) == [170]


def test_a_trial_gives_the_trials_credits_with_the_first_invoice():
    trial = invoice(line("pro", 0))
    found = entitlements_of_invoice(replace(trial, reason="subscription_create"), PRICES)
    again = entitlements_of_invoice(replace(trial, reason="subscription_update"), PRICES)
    assert ([each.credits for each in found], again) == ([20], [])


def test_a_pack_that_staff_put_on_an_invoice_lasts_as_long_as_any():
    pack = price("pack", 1_200, 100, interval="")
    (each,) = entitlements_of_invoice(invoice(line("pack", 1_200, end=START)), {"pack": pack})
    assert (each.credits, each.ends_at) == (100, NEXT_YEAR)


def test_a_price_of_somebody_else_gives_nothing():
    assert given_by(line("strange", 9_900)) == []


def test_a_year_gives_twelve_months_each_on_its_day():
    found = entitlements_of_invoice(invoice(line("starter_year", 19_000, end=NEXT_YEAR)), PRICES)
    assert [each.credits for each in found] == [170] * 12
    assert [each.due_at.strftime("%m-%d") for each in found][:4] == ["01-31", "02-28", "03-31", "04-30"]
    assert found[-1].ends_at == NEXT_YEAR


def test_an_invoice_of_a_period_that_has_not_begun_gives_at_once():
    later = line("starter", 1_900, start=START + timedelta(days=28), end=END + timedelta(days=28))
    (each,) = entitlements_of_invoice(invoice(later), PRICES)
    assert each.due_at == START


def test_an_upgrade_gives_the_difference_for_the_time_left():
    half = START + timedelta(days=14)
    lines = line("starter", -950, proration=True, start=half), line("pro", 2_450, proration=True, start=half)
    assert given_by(*lines) == [155]


def taken_by(*lines: InvoiceLine) -> int:
    return unused_credits(invoice(*lines), PRICES)


def test_a_downgrade_takes_the_difference_for_the_time_left():
    half = START + timedelta(days=14)
    lines = line("pro", -2_450, proration=True, start=half), line("starter", 950, proration=True, start=half)
    assert (given_by(*lines), taken_by(*lines)) == ([], 155)


def test_time_given_back_for_another_interval_is_taken_beside_what_that_gives():
    half = START + timedelta(days=14)
    lines = line("starter", -950, proration=True, start=half), line("starter_year", 19_000, start=half, end=NEXT_YEAR)
    assert (sum(given_by(*lines)), taken_by(*lines)) == (170 * 12, 85)


def test_an_upgrade_takes_no_credits():
    half = START + timedelta(days=14)
    lines = line("starter", -950, proration=True, start=half), line("pro", 2_450, proration=True, start=half)
    assert (taken_by(*lines), taken_by(line("pro", 4_900))) == (0, 0)


def test_a_trials_time_was_not_paid_for_and_is_not_taken():
    assert taken_by(line("pro_year", 0, proration=True, end=NEXT_YEAR)) == 0


@given(
    st.integers(0, 27), st.integers(0, 86_399), st.sampled_from(["starter", "pro"]), st.sampled_from(["starter", "pro"])
)
def test_a_plan_change_back_and_forth_at_one_moment_gives_nothing(day, second, one, other):
    change = START + timedelta(days=day, seconds=second)
    back_and_forth = [changed(one, other, change), changed(other, one, change)]
    assert sum(sum(given_by(*lines)) - taken_by(*lines) for lines in back_and_forth) <= 0


def changed(old: str, new: str, at: datetime) -> list[InvoiceLine]:
    share = (END - at) / (END - START)
    return [
        line(old, -round(PRICES[old].amount * share), proration=True, start=at),
        line(new, round(PRICES[new].amount * share), proration=True, start=at),
    ]


@pytest.mark.parametrize(
    ("old", "new"), [(-950, 2_450), (-475, 1_225), (-950, 490), (-95, 2_450), (-950, 2_449), (0, 0)]
)
def test_whatever_a_change_costs_its_credits_follow_the_time(old, new):
    """By coupons of half the price, of 80 % on the new plan, of 90 % on the old one; by Stripe's rounding; free."""
    half = START + timedelta(days=14)
    back = replace(line("starter", old, proration=True, start=half), sign_of_zero=-1)
    rest = replace(line("pro", new, proration=True, start=half), sign_of_zero=1)
    assert (given_by(back, rest), taken_by(back, rest)) == ([155], 0)


@pytest.mark.parametrize(("old", "new"), [(-2_450, 950), (-245, 950), (-245, 0), (0, 950), (0, 0)])
def test_whatever_a_downgrade_gives_back_its_credits_follow_the_time(old, new):
    half = START + timedelta(days=14)
    back = replace(line("pro", old, proration=True, start=half), sign_of_zero=-1)
    rest = replace(line("starter", new, proration=True, start=half), sign_of_zero=1)
    assert (given_by(back, rest), taken_by(back, rest)) == ([], 155)


@pytest.mark.parametrize(("old", "new"), [(-1_900, 190), (-19, 1_900)])
def test_prices_of_another_currency_change_nothing(old, new):
    """Amounts beside which the plans' own prices mean nothing."""
    half = START + timedelta(days=14)
    lines = line("starter", old, proration=True, start=half), line("pro", new, proration=True, start=half)
    assert given_by(*lines) == [155]


def test_without_the_invoices_period_the_month_is_the_one_before_the_lines_end():
    """Fourteen of thirty days."""
    end = datetime(2026, 5, 20, 12, tzinfo=UTC)
    at = end - timedelta(days=14)
    lines = [
        line("starter", -950, proration=True, start=at, end=end),
        line("pro", 2_450, proration=True, start=at, end=end),
    ]
    facts = replace(invoice(*lines), period_start=at, period_end=at)
    assert [each.credits for each in entitlements_of_invoice(facts, PRICES)] == [310 * 14 // 30]


def test_a_month_of_a_year_that_ends_on_the_28th_may_have_begun_on_the_31st():
    change = datetime(2026, 2, 14, 12, tzinfo=UTC)
    back = line("starter_year", -18_000, proration=True, start=change, end=NEXT_YEAR)
    rest = line("pro_year", 47_000, proration=True, start=change, end=NEXT_YEAR)
    now = [each.credits for each in entitlements_of_invoice(invoice(back, rest), PRICES) if each.due_at == change]
    assert now == [155]


def test_time_given_back_alone_gives_nothing():
    assert given_by(line("pro", -2_450, proration=True)) == []


def test_prorations_beside_a_new_month_give_both():
    half = START + timedelta(days=14)
    lines = line("starter", -950, proration=True, start=half), line("pro", 2_450, proration=True, start=half)
    assert sorted(given_by(*lines, line("pro", 4_900))) == [155, 480]


def test_a_yearly_upgrade_gives_the_difference_now_and_the_new_months_later():
    """Sixteen of thirty-one days before a month's end, with six whole months to come."""
    change = datetime(2026, 7, 15, 12, tzinfo=UTC)
    lines = (
        line("starter_year", -10_000, proration=True, start=change, end=NEXT_YEAR),
        line("pro_year", 26_000, proration=True, start=change, end=NEXT_YEAR),
    )
    found = entitlements_of_invoice(invoice(*lines), PRICES)
    later = [each for each in found if each.due_at > change]
    now = [each for each in found if each.due_at == change]
    assert [each.credits for each in later] == [480] * 6
    assert [(each.credits, each.ends_at) for each in now] == [(160, datetime(2026, 7, 31, 12, tzinfo=UTC))]


def test_a_plan_whose_time_is_returned_stops_from_that_moment():
    change = datetime(2026, 7, 15, 12, tzinfo=UTC)
    back = line("starter_year", -10_000, proration=True, start=change, end=NEXT_YEAR)
    assert price_stops(invoice(back, line("pro", 4_900)), PRICES) == {"starter_year": change}


def test_a_plain_renewal_stops_nothing():
    assert price_stops(invoice(line("starter_year", 19_000, end=NEXT_YEAR)), PRICES) == {}


@given(st.integers(1, 27), st.sampled_from(["starter", "pro"]), st.sampled_from(["starter", "pro"]))
def test_no_change_of_plan_gives_more_than_a_month_of_the_new_one(day, old, new):
    lines = changed(old, new, START + timedelta(days=day))
    assert 0 <= sum(given_by(*lines)) <= max(0, PRICES[new].credits - PRICES[old].credits)


@pytest.mark.parametrize("year", range(2024, 2030))
def test_a_year_has_twelve_months_in_every_year(year):
    start = datetime(year, 2, 28, tzinfo=UTC)
    whole = line("starter_year", 19_000, start=start, end=start.replace(year=year + 1))
    assert given_by(whole) == [170] * 12
