"""Recipes of `stripe trigger`: requests that name the objects of earlier ones."""

import re
from typing import Any

import pytest

from genvid.sandbox.tests.stripe_merchant import Merchant
from genvid.sandbox.tests.stripe_subjects import flat

Step = tuple[str, str, dict[str, Any]]
CUSTOMER: Step = ("customer", "/v1/customers", {"description": "made by a trigger"})
ITEM: Step = ("item", "/v1/invoiceitems", {"customer": "${customer}", "amount": 2000, "currency": "usd"})
INVOICE: Step = ("invoice", "/v1/invoices", {"customer": "${customer}", "pending_invoice_items_behavior": "include"})
PAY: Step = ("pay", "/v1/invoices/${invoice}/pay", {"payment_method": "${method}"})
TRIAL = {
    "customer": "${customer}",
    "items": [{"price": "${price}"}],
    "trial_period_days": 7,
    "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
}
PRICED: list[Step] = [
    CUSTOMER,
    ("product", "/v1/products", {"name": "myproduct"}),
    (
        "price",
        "/v1/prices",
        {"product": "${product}", "unit_amount": 1500, "currency": "usd", "recurring[interval]": "month"},
    ),
]


def with_card(test_card: str) -> list[Step]:
    attached = ("method", f"/v1/payment_methods/{test_card}/attach", {"customer": "${customer}"})
    return [CUSTOMER, attached, ITEM, INVOICE]


def payment(test_card: str, **more: str) -> Step:
    params = {"amount": 2000, "currency": "usd", "confirm": True, "payment_method_types": ["card"]}
    return ("intent", "/v1/payment_intents", {**params, "payment_method": test_card, **more})


TRIGGERS: dict[str, list[Step]] = {
    "customer.created": [CUSTOMER],
    "coupon.created": [("coupon", "/v1/coupons", {"percent_off": 20})],
    "product.created": PRICED,
    "price.created": PRICED,
    "payment_method.attached": [
        CUSTOMER,
        ("method", "/v1/payment_methods/pm_card_visa/attach", {"customer": "${customer}"}),
    ],
    "payment_intent.succeeded": [payment("pm_card_visa")],
    "charge.dispute.created": [payment("pm_card_createDisputeInquiry")],
    "customer.subscription.created": [
        (
            "customer",
            "/v1/customers",
            {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}},
        ),
        *PRICED[1:],
        ("subscription", "/v1/subscriptions", {"customer": "${customer}", "items": [{"price": "${price}"}]}),
    ],
    "invoice.paid": [*with_card("pm_card_visa"), PAY],
    "invoice.payment_succeeded": [*with_card("pm_card_visa"), PAY],
    "invoice_payment.paid": [*with_card("pm_card_visa"), PAY],
    "invoice.payment_failed": [*with_card("pm_card_chargeCustomerFail"), PAY],
    "invoice.payment_action_required": [*with_card("pm_card_threeDSecure2Required"), PAY],
    "invoice.created": [CUSTOMER, ITEM, INVOICE],
    "invoice.updated": [CUSTOMER, ITEM, INVOICE, ("update", "/v1/invoices/${invoice}", {"metadata": {"a": "b"}})],
    "invoice.finalized": [CUSTOMER, ITEM, INVOICE, ("finalize", "/v1/invoices/${invoice}/finalize", {})],
    "invoice.voided": [
        *with_card("pm_card_visa"),
        ("finalize", "/v1/invoices/${invoice}/finalize", {}),
        ("void", "/v1/invoices/${invoice}/void", {}),
    ],
    "invoice.marked_uncollectible": [
        *with_card("pm_card_visa"),
        ("finalize", "/v1/invoices/${invoice}/finalize", {}),
        ("mark", "/v1/invoices/${invoice}/mark_uncollectible", {}),
    ],
    "invoice.sent": [
        CUSTOMER,
        ITEM,
        ("invoice", "/v1/invoices", {**INVOICE[2], "collection_method": "send_invoice", "days_until_due": 30}),
        ("send", "/v1/invoices/${invoice}/send", {}),
    ],
    "invoiceitem.created": [CUSTOMER, ITEM],
    "customer.subscription.paused": [
        *PRICED,
        ("subscription", "/v1/subscriptions", TRIAL),
        ("pause", "/v1/subscriptions/${subscription}", {"trial_end": "now"}),
    ],
    "test_helpers.test_clock.created": [
        ("clock", "/v1/test_helpers/test_clocks", {"frozen_time": 1577836800, "name": "a"})
    ],
    "payment_intent.amount_capturable_updated": [payment("pm_card_visa", capture_method="manual")],
}
REFUSED = ("invoice.payment_failed", "invoice.payment_action_required")


def run(merchant: Merchant, steps: list[Step]) -> list[int]:
    """The answers' statuses."""
    made: dict[str, str] = {}
    statuses = []
    for name, path, params in steps:
        filled = {key: _filled(value, made) for key, value in flat(params).items()}
        answer = merchant.http.post(_filled(path, made), data=filled)
        statuses.append(answer.status_code)
        made[name] = answer.json().get("id", "")
    return statuses


def _filled(text: str, made: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: made[match[1]], text)


@pytest.mark.parametrize("event", TRIGGERS)
def test_a_trigger_sends_its_event(event: str, merchant: Merchant) -> None:
    statuses = run(merchant, TRIGGERS[event])

    expected = [200] * (len(statuses) - 1) + [402 if event in REFUSED else 200]
    assert statuses == expected
    assert event in merchant.types()


def test_every_request_of_the_trigger_of_an_upcoming_invoice_is_answered(merchant: Merchant) -> None:
    """The event itself never comes, as docs/sandbox.md says."""
    clock: Step = ("clock", "/v1/test_helpers/test_clocks", {"frozen_time": 1704067200, "name": "a"})
    customer, *rest = TRIGGERS["customer.subscription.created"]
    on_clock = (*customer[:2], {**customer[2], "test_clock": "${clock}"})
    advance: Step = ("advance", "/v1/test_helpers/test_clocks/${clock}/advance", {"frozen_time": 1706486400})

    assert run(merchant, [clock, on_clock, *rest, advance]) == [200] * 6
