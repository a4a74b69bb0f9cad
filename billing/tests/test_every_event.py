"""Each kind of event that we subscribe to is sent by the sandbox's Stripe when what it tells of happens."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from billing.stripe.webhook_endpoint import EVENT_TYPES
from genvid.sandbox.process import SandboxProcess
from genvid.sandbox.tests import stripe_subjects as subjects
from genvid.sandbox.tests.stripe_shop import Shop

DAY = 24 * 3600
TRIAL = {"trial_period_days": 7}
PAUSING = {"trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}}
CLOSED = "000111111113"


class Cause(NamedTuple):
    happens: Callable[[Shop], Any]
    """Answers the id of what the event is about."""
    is_asked_for: bool
    """By a request to the API; else it comes of the buyer, the bank or time."""


@pytest.fixture
def seller(sandbox: SandboxProcess) -> Iterator[Shop]:
    shop = Shop(sandbox)
    with shop.http:
        yield shop


def buys(shop: Shop) -> Any:
    return shop.buy()["id"]


def debited(shop: Shop, account: str = "000123456789") -> Any:
    """A session paid from a bank account, days later."""
    form = {"payment_method_types": ["us_bank_account"], "customer": shop.customer}
    session = subjects.session(shop, **form)
    shop.pull.pay(session["id"], method="bank", account=account)
    shop.pull.advance_clock(5 * DAY)
    return session["id"]


def renewed(shop: Shop, *, succeeds: bool) -> Any:
    return shop.pull.renew(subjects.subscription(shop)["id"], succeeds=succeeds)["id"]


def asked(path: str, made: Callable[[Shop], str]) -> Callable[[Shop], Any]:
    return lambda shop: subjects.post(shop, path.format(id=made(shop)))["id"]


def deletes_customer(shop: Shop) -> str:
    gone = subjects.customer(shop)
    assert shop.http.delete(f"/v1/customers/{gone}").status_code == 200
    return gone


def is_reminded(shop: Shop) -> Any:
    made = subjects.subscription(shop, **TRIAL)
    shop.pull.advance_clock(5 * DAY)
    return made["id"]


def pauses(shop: Shop) -> Any:
    made = subjects.subscription(shop, customer=subjects.customer(shop), **TRIAL, **PAUSING)
    shop.pull.advance_clock(8 * DAY)
    return made["id"]


def confirms(shop: Shop, method: str, succeeds: bool = True) -> Any:
    made = subjects.intent(shop, payment_method=method)
    answer = shop.http.post(f"/v1/payment_intents/{made}/confirm")
    assert answer.is_success == succeeds
    return made


def charges(shop: Shop) -> Any:
    return subjects.paid(shop)["latest_charge"]


def refunded_charge(shop: Shop) -> Any:
    charge = charges(shop)
    subjects.post(shop, "/v1/refunds", {"charge": charge})
    return charge


def answered_dispute(shop: Shop) -> Any:
    made = subjects.dispute(shop)
    subjects.post(shop, f"/v1/disputes/{made}", {"evidence": {"uncategorized_text": "It was made."}})
    return made


def closed_dispute(shop: Shop) -> Any:
    return shop.pull.close_dispute(subjects.dispute(shop))["id"]


def refund(shop: Shop) -> Any:
    return subjects.post(shop, "/v1/refunds", {"charge": charges(shop)})["id"]


def warned(shop: Shop) -> Any:
    return shop.pull.fraud_warning(charges(shop))["id"]


CAUSES: dict[str, Cause] = {
    "checkout.session.completed": Cause(buys, False),
    "checkout.session.expired": Cause(
        asked("/v1/checkout/sessions/{id}/expire", lambda shop: str(subjects.session(shop)["id"])), True
    ),
    "checkout.session.async_payment_succeeded": Cause(debited, False),
    "checkout.session.async_payment_failed": Cause(lambda shop: debited(shop, CLOSED), False),
    "invoice.finalized": Cause(asked("/v1/invoices/{id}/finalize", subjects.draft), True),
    "invoice.paid": Cause(asked("/v1/invoices/{id}/pay", subjects.owed), True),
    "invoice.payment_failed": Cause(lambda shop: renewed(shop, succeeds=False), False),
    "invoice.voided": Cause(asked("/v1/invoices/{id}/void", subjects.owed), True),
    "invoice.marked_uncollectible": Cause(asked("/v1/invoices/{id}/mark_uncollectible", subjects.owed), True),
    "customer.deleted": Cause(deletes_customer, True),
    "customer.subscription.created": Cause(lambda shop: subjects.subscription(shop)["id"], True),
    "customer.subscription.updated": Cause(
        lambda shop: shop.pull.cancel(subjects.subscription(shop)["id"], at_period_end=True)["id"], False
    ),
    "customer.subscription.deleted": Cause(
        lambda shop: shop.pull.cancel(subjects.subscription(shop)["id"])["id"], False
    ),
    "customer.subscription.paused": Cause(pauses, False),
    "customer.subscription.resumed": Cause(asked("/v1/subscriptions/{id}/resume", subjects.paused), True),
    "customer.subscription.trial_will_end": Cause(is_reminded, False),
    "payment_intent.succeeded": Cause(lambda shop: confirms(shop, "pm_card_visa"), True),
    "payment_intent.payment_failed": Cause(lambda shop: confirms(shop, "pm_card_chargeDeclined", False), True),
    "charge.succeeded": Cause(charges, True),
    "charge.refunded": Cause(refunded_charge, True),
    "charge.dispute.created": Cause(subjects.dispute, False),
    "charge.dispute.updated": Cause(answered_dispute, True),
    "charge.dispute.closed": Cause(closed_dispute, False),
    "charge.dispute.funds_withdrawn": Cause(subjects.dispute, False),
    "charge.dispute.funds_reinstated": Cause(closed_dispute, False),
    "refund.created": Cause(refund, True),
    "refund.updated": Cause(asked("/v1/refunds/{id}/cancel", subjects.pending_refund), True),
    "refund.failed": Cause(lambda shop: shop.pull.fail_refund(subjects.pending_refund(shop))["id"], False),
    "radar.early_fraud_warning.created": Cause(warned, False),
}


def test_every_subscribed_kind_has_a_cause() -> None:
    assert sorted(CAUSES) == sorted(EVENT_TYPES)


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_a_subscribed_event_is_sent_when_its_cause_happens(kind: str, seller: Shop) -> None:
    cause = CAUSES[kind]

    concerned = cause.happens(seller)

    events = [event for event in seller.pull.events() if event["type"] == kind]
    latest = events[-1]
    assert latest["data"]["object"]["id"] == concerned
    assert (latest["request"]["id"] is not None) == cause.is_asked_for
