"""Tracing of refunded money, with figures computed by hand."""

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

from billing.purchases.money_tracing import InvoiceFunding, trace_money

YEAR = InvoiceFunding(
    "year", "sub_1", (1, 1), paid=990, lost=0, used=0, brought=0, returned=0, credits_returned=0, voided=0
)
SWITCH = replace(YEAR, key="switch", order=(2, 2), paid=0, brought=971, returned=990, credits_returned=1_050)
MONTH = replace(YEAR, key="month", order=(3, 3), paid=0, used=19)


def lost_of(*invoices: InvoiceFunding) -> dict[object, Fraction]:
    return {key: traced.lost for key, traced in trace_money(invoices).items()}


def to_void(*invoices: InvoiceFunding) -> int:
    return trace_money(invoices)["switch"].to_void


def test_while_all_money_is_here_nothing_is_lost():
    assert set(lost_of(YEAR, SWITCH, MONTH).values()) == {0}
    assert to_void(YEAR, SWITCH, MONTH) == 0


def test_lost_money_is_traced_into_time_balance_and_later_invoices():
    assert set(lost_of(replace(YEAR, lost=990), SWITCH, MONTH).values()) == {1}


def test_only_unused_balance_is_voided():
    assert to_void(replace(YEAR, lost=990), SWITCH, MONTH) == 971 - 19


def test_once_the_lost_part_is_voided_the_rest_of_the_balance_is_good():
    half = replace(YEAR, lost=495)
    assert to_void(half, SWITCH, MONTH) == 486
    assert lost_of(half, replace(SWITCH, voided=486), MONTH)["month"] == 0
    assert to_void(half, replace(SWITCH, voided=486), MONTH) == 486


def test_a_void_of_money_that_came_again_is_taken_back():
    assert to_void(YEAR, replace(SWITCH, voided=952), MONTH) == 0


def test_balance_that_came_from_elsewhere_is_good():
    assert lost_of(replace(YEAR, lost=990), replace(MONTH, used=19))["month"] == 0


def test_an_invoice_that_cost_nothing_lost_nothing():
    assert lost_of(replace(YEAR, paid=0)) == {"year": 0}


def test_the_order_of_invoices_in_the_input_does_not_matter():
    invoices = [replace(YEAR, lost=330), SWITCH, MONTH, replace(MONTH, key="next", order=(3, 4), paid=10, lost=5)]
    assert len({tuple(sorted(map(str, lost_of(*each).items()))) for each in permutations(invoices)}) == 1


def test_credits_of_returned_time_are_passed_on_once():
    found = trace_money([YEAR, SWITCH, MONTH])
    assert {key: traced.credits_passed for key, traced in found.items()} == {"year": 1_050, "switch": 0, "month": 0}


def test_subscriptions_share_the_balance_and_nothing_else():
    other = replace(YEAR, key="other", subscription_id="sub_2", order=(4, 4), paid=0, returned=100, credits_returned=9)
    found = trace_money([replace(YEAR, lost=990), SWITCH, other])
    assert (found["other"].lost, found["switch"].credits_passed) == (0, 0)
