"""The sandbox's Stripe sends each event type that we subscribe to when its cause happens."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from billing.stripe.event_types import EVENT_TYPES
from genvid.sandbox.process import SandboxProcess
from genvid.sandbox.tests import stripe_subjects as subjects
from genvid.sandbox.tests.stripe_merchant import Merchant

DAY = 24 * 3600
TRIAL = {"trial_period_days": 7}
PAUSING = {"trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}}
CLOSED = "000111111113"


class Cause(NamedTuple):
    happens: Callable[[Merchant], Any]
    """Returns the id of the event's object."""
    is_asked_for: bool
    """Caused by a request to the API, otherwise by the buyer, the bank or time."""


@pytest.fixture
def seller(sandbox: SandboxProcess) -> Iterator[Merchant]:
    merchant = Merchant(sandbox)
    with merchant.http:
        yield merchant


def buys(merchant: Merchant) -> Any:
    return merchant.buy()["id"]


def debited(merchant: Merchant, account: str = "000123456789") -> Any:
    """A session paid from a bank account, days later."""
    form = {"payment_method_types": ["us_bank_account"], "customer": merchant.customer}
    session = subjects.session(merchant, **form)
    merchant.actions.pay(session["id"], method="bank", account=account)
    merchant.actions.advance_clock(5 * DAY)
    return session["id"]


def renewed(merchant: Merchant, *, succeeds: bool) -> Any:
    return merchant.actions.renew(subjects.subscription(merchant)["id"], succeeds=succeeds)["id"]


def asked(path: str, made: Callable[[Merchant], str]) -> Callable[[Merchant], Any]:
    return lambda merchant: subjects.post(merchant, path.format(id=made(merchant)))["id"]


def deletes_customer(merchant: Merchant) -> str:
    gone = subjects.customer(merchant)
    assert merchant.http.delete(f"/v1/customers/{gone}").status_code == 200
    return gone


def is_reminded(merchant: Merchant) -> Any:
    made = subjects.subscription(merchant, **TRIAL)
    merchant.actions.advance_clock(5 * DAY)
    return made["id"]


def pauses(merchant: Merchant) -> Any:
    made = subjects.subscription(merchant, customer=subjects.customer(merchant), **TRIAL, **PAUSING)
    merchant.actions.advance_clock(8 * DAY)
    return made["id"]


def confirms(merchant: Merchant, method: str, succeeds: bool = True) -> Any:
    made = subjects.intent(merchant, payment_method=method)
    answer = merchant.http.post(f"/v1/payment_intents/{made}/confirm")
    assert answer.is_success == succeeds
    return made


def charges(merchant: Merchant) -> Any:
    return subjects.paid(merchant)["latest_charge"]


def refunded_charge(merchant: Merchant) -> Any:
    charge = charges(merchant)
    subjects.post(merchant, "/v1/refunds", {"charge": charge})
    return charge


def answered_dispute(merchant: Merchant) -> Any:
    made = subjects.dispute(merchant)
    subjects.post(merchant, f"/v1/disputes/{made}", {"evidence": {"uncategorized_text": "It was made."}})
    return made


def closed_dispute(merchant: Merchant) -> Any:
    return merchant.actions.close_dispute(subjects.dispute(merchant))["id"]


def refund(merchant: Merchant) -> Any:
    return subjects.post(merchant, "/v1/refunds", {"charge": charges(merchant)})["id"]


def warned(merchant: Merchant) -> Any:
    return merchant.actions.fraud_warning(charges(merchant))["id"]


CAUSES: dict[str, Cause] = {
    "checkout.session.completed": Cause(buys, False),
    "checkout.session.expired": Cause(
        asked("/v1/checkout/sessions/{id}/expire", lambda merchant: str(subjects.session(merchant)["id"])), True
    ),
    "checkout.session.async_payment_succeeded": Cause(debited, False),
    "checkout.session.async_payment_failed": Cause(lambda merchant: debited(merchant, CLOSED), False),
    "invoice.finalized": Cause(asked("/v1/invoices/{id}/finalize", subjects.draft), True),
    "invoice.paid": Cause(asked("/v1/invoices/{id}/pay", subjects.owed), True),
    "invoice.payment_failed": Cause(lambda merchant: renewed(merchant, succeeds=False), False),
    "invoice.voided": Cause(asked("/v1/invoices/{id}/void", subjects.owed), True),
    "invoice.marked_uncollectible": Cause(asked("/v1/invoices/{id}/mark_uncollectible", subjects.owed), True),
    "customer.deleted": Cause(deletes_customer, True),
    "customer.subscription.created": Cause(lambda merchant: subjects.subscription(merchant)["id"], True),
    "customer.subscription.updated": Cause(
        lambda merchant: merchant.actions.cancel(subjects.subscription(merchant)["id"], at_period_end=True)["id"], False
    ),
    "customer.subscription.deleted": Cause(
        lambda merchant: merchant.actions.cancel(subjects.subscription(merchant)["id"])["id"], False
    ),
    "customer.subscription.paused": Cause(pauses, False),
    "customer.subscription.resumed": Cause(asked("/v1/subscriptions/{id}/resume", subjects.paused), True),
    "customer.subscription.trial_will_end": Cause(is_reminded, False),
    "payment_intent.succeeded": Cause(lambda merchant: confirms(merchant, "pm_card_visa"), True),
    "payment_intent.payment_failed": Cause(lambda merchant: confirms(merchant, "pm_card_chargeDeclined", False), True),
    "charge.succeeded": Cause(charges, True),
    "charge.refunded": Cause(refunded_charge, True),
    "charge.dispute.created": Cause(subjects.dispute, False),
    "charge.dispute.updated": Cause(answered_dispute, True),
    "charge.dispute.closed": Cause(closed_dispute, False),
    "charge.dispute.funds_withdrawn": Cause(subjects.dispute, False),
    "charge.dispute.funds_reinstated": Cause(closed_dispute, False),
    "refund.created": Cause(refund, True),
    "refund.updated": Cause(asked("/v1/refunds/{id}/cancel", subjects.pending_refund), True),
    "refund.failed": Cause(
        lambda merchant: merchant.actions.fail_refund(subjects.pending_refund(merchant))["id"], False
    ),
    "radar.early_fraud_warning.created": Cause(warned, False),
}


def test_every_subscribed_event_type_has_a_cause() -> None:
    assert sorted(CAUSES) == sorted(EVENT_TYPES)


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_a_subscribed_event_is_sent_when_its_cause_happens(kind: str, seller: Merchant) -> None:
    cause = CAUSES[kind]

    concerned = cause.happens(seller)

    events = [event for event in seller.actions.events() if event["type"] == kind]
    latest = events[-1]
    assert latest["data"]["object"]["id"] == concerned
    assert (latest["request"]["id"] is not None) == cause.is_asked_for
