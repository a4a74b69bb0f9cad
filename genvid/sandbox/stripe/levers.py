"""`/_sandbox/stripe/…`: what buyers, banks and time do, done by a test. For this machine only."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from genvid.sandbox.admin import local_route
from genvid.sandbox.errors import ApiError, refuse
from genvid.sandbox.house import House
from genvid.sandbox.stripe import (
    changes,
    charges,
    checkout,
    clocks,
    collection,
    cycle,
    disputes,
    endpoints,
    refunds,
    session_outcomes,
    sessions,
    subscriptions,
)
from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.books import Thing, shown
from genvid.sandbox.stripe.changes import Wanted
from genvid.sandbox.stripe.checkout import Payment
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.timetable import period

Lever = Callable[[Bank, str, Thing], Any]


def pay(bank: Bank, session_id: str, given: Thing) -> Thing:
    """As the pay page does it; `error` is what the page would say."""
    session = bank.get("checkout.session", session_id)
    if given.get("promotion_code"):
        checkout.apply_code(bank, session, given["promotion_code"])
    names = ("card", "method", "email", "name", "account")
    checkout.submit(bank, session, Payment(**{name: given[name] for name in names if name in given}))
    intent, passes = _waiting_intent(bank, session), given.get("authenticate", True)
    if intent is not None and passes is not None:
        session_outcomes.authenticate(bank, intent, passes=passes)
    session = bank.get("checkout.session", session_id)
    return {**shown(session), "error": session.get("_last_error")}


def _waiting_intent(bank: Bank, session: Thing) -> Thing | None:
    """The session's payment intent, if it waits for 3-D Secure."""
    intent = checkout.intent_of(bank, session)
    return intent if intent is not None and intent["status"] == "requires_action" else None


def settle_bank(bank: Bank, intent_id: str, given: Thing) -> Thing:
    intent = bank.get("payment_intent", intent_id)
    return session_outcomes.settle_debit(bank, intent, succeeds=given.get("succeeds", True))


def authenticate(bank: Bank, intent_id: str, given: Thing) -> Thing:
    session_outcomes.authenticate(bank, bank.get("payment_intent", intent_id), passes=given.get("passes", True))
    return bank.get("payment_intent", intent_id)


def expire(bank: Bank, session_id: str, given: Thing) -> Thing:
    return sessions.expire(bank, bank.get("checkout.session", session_id))


def renew(bank: Bank, subscription_id: str, given: Thing) -> Thing:
    """One period further; a trial's end is its first renewal."""
    subscription = _running(bank, subscription_id)
    step = cycle.end_trial if subscription["status"] == "trialing" else cycle.renew
    return step(bank, subscription, verdict=given.get("succeeds", True))


def _running(bank: Bank, subscription_id: str) -> Thing:
    subscription = bank.get("subscription", subscription_id)
    if subscription["status"] in subscriptions.OVER:
        raise StripeError(f"This subscription is {subscription['status']}.", param="subscription")
    return subscription


def retry_invoice(bank: Bank, invoice_id: str, given: Thing) -> Thing:
    invoice = bank.get("invoice", invoice_id)
    if invoice["status"] != "open":
        raise StripeError(f"This invoice is {invoice['status']}.", param="invoice")
    return collection.collect(bank, invoice, verdict=given.get("succeeds", True))


def end_trial(bank: Bank, subscription_id: str, given: Thing) -> Thing:
    subscription = _running(bank, subscription_id)
    if subscription["status"] != "trialing":
        raise StripeError(f"This subscription is {subscription['status']}.", param="subscription")
    return cycle.end_trial(bank, subscription, verdict=given.get("succeeds", True))


def change_price(bank: Bank, subscription_id: str, given: Thing) -> Thing:
    """The period is first moved so that this share of it has passed."""
    subscription = _running(bank, subscription_id)
    start, end = period(subscription)
    passed = round((end - start) * given.get("at_fraction", 0.5))
    now = bank.now(subscription["customer"])
    bank.save(subscription, **cycle.move(subscription, now - passed, now - passed + end - start))
    price, item = bank.get("price", given["price"], "price"), subscription["items"]["data"][0]
    wanted = [Wanted(item["id"], price, item["quantity"], item["metadata"])]
    changes.change_items(bank, subscription, wanted, given.get("behavior", "always_invoice"))
    return bank.get("subscription", subscription_id)


def cancel(bank: Bank, subscription_id: str, given: Thing) -> Thing:
    subscription = _running(bank, subscription_id)
    if not given.get("at_period_end", False):
        return collection.end(bank, subscription)
    return bank.change(subscription, cycle.UPDATED, **subscriptions.cancellation(bank, subscription, True))


def end_period(bank: Bank, subscription_id: str, given: Thing) -> Thing:
    subscription = _running(bank, subscription_id)
    if subscription["cancel_at_period_end"]:
        collection.end(bank, subscription)
    else:
        renew(bank, subscription_id, given)
    return bank.get("subscription", subscription_id)


def refund(bank: Bank, wanted: str, given: Thing) -> Thing:
    charge, status = charges.of(bank, wanted), given.get("status", "succeeded")
    if status not in ("succeeded", "pending", "failed", "canceled"):
        raise StripeError(f"No such status: {status}", param="status")
    first = status if status in ("succeeded", "pending") else "pending"
    made = refunds.make(bank, charge, given.get("amount"), status=first)
    return refunds.undo(bank, made, status) if first != status else made


def fail_refund(bank: Bank, refund_id: str, given: Thing) -> Thing:
    return refunds.undo(bank, bank.get("refund", refund_id), "failed")


def succeed_refund(bank: Bank, refund_id: str, given: Thing) -> Thing:
    return refunds.succeed(bank, bank.get("refund", refund_id))


def dispute(bank: Bank, wanted: str, given: Thing) -> Thing:
    reason, warning = given.get("reason", "fraudulent"), given.get("warning", False)
    return disputes.open_dispute(bank, charges.of(bank, wanted), given.get("amount"), reason, warning=warning)


def close_dispute(bank: Bank, dispute_id: str, given: Thing) -> Thing:
    return disputes.close_dispute(bank, bank.get("dispute", dispute_id), given.get("status", "won"))


def fraud_warning(bank: Bank, wanted: str, given: Thing) -> Thing:
    return disputes.warn(bank, charges.of(bank, wanted))


def advance_clock(bank: Bank, seconds: str, given: Thing) -> Thing:
    """Moves the world's time, with all that falls due on the way."""
    passed = bank.store.setting("stripe_clock", 0)
    until = bank.now() + int(seconds)
    clocks.work_off(bank, None, until)
    bank.store.set("stripe_clock", passed + int(seconds))
    return {"now": until}


LEVERS: dict[str, Lever] = {
    "pay": pay,
    "settle_bank": settle_bank,
    "authenticate": authenticate,
    "expire": expire,
    "renew": renew,
    "retry_invoice": retry_invoice,
    "end_trial": end_trial,
    "change_price": change_price,
    "cancel": cancel,
    "end_period": end_period,
    "refund": refund,
    "fail_refund": fail_refund,
    "succeed_refund": succeed_refund,
    "dispute": dispute,
    "close_dispute": close_dispute,
    "fraud_warning": fraud_warning,
    "advance_clock": advance_clock,
}


async def _pull(house: House, request: Request, body: Any) -> Any:
    """One lever, in one transaction."""
    lever = LEVERS.get(request.path_params["lever"])
    if lever is None:
        raise ApiError("not_found", "There is no such lever")
    with house.store.together():
        return _told(lambda: shown(lever(house.bank, request.path_params["id"], body or {})))


def _told(deed: Callable[[], Any]) -> Any:
    try:
        return deed()
    except StripeError as error:
        raise ApiError(error.code or "invalid_request", error.message, status=error.status) from error


async def _events(house: House, request: Request, body: Any) -> Any:
    return {"events": endpoints.all_events(house.bank, request.query_params.get("after"))}


async def _deliver(house: House, request: Request, body: Any) -> Any:
    """Events, in this order and so often, to each endpoint that listens to them."""
    bank, pairs = house.bank, list[tuple[Thing, Thing]]()
    ids = (body or {}).get("event_ids")
    if not isinstance(ids, list):
        refuse("event_ids", "event_ids is a list")
    for event in _told(lambda: [bank.get("event", one) for one in ids]):
        told = [(shown(event), endpoint) for endpoint in bank.listeners(event["type"])]
        pairs += told * body.get("copies", 1)
    return {"deliveries": await bank.courier.deliver_all(pairs, parallel=body.get("parallel", True))}


async def _undelivered(house: House, request: Request, body: Any) -> Any:
    untaken = set(house.bank.courier.untaken())
    return {"events": [event for event in endpoints.all_events(house.bank, None) if event["id"] in untaken]}


async def _books(house: House, request: Request, body: Any) -> Any:
    books = house.bank.books
    kinds = {"charges": "charge", "refunds": "refund", "disputes": "dispute", "sessions": "checkout.session"}
    kinds |= {"subscriptions": "subscription", "invoices": "invoice", "customers": "customer"}
    found: dict[str, Any] = {name: [shown(one) for one in books.all(kind)] for name, kind in kinds.items()}
    return {"counts": books.counts(), **found, "deliveries": _deliveries(house)}


def _deliveries(house: House) -> list[Thing]:
    rows = house.store.rows("SELECT * FROM stripe_deliveries ORDER BY seq")
    for row in rows:
        del row["body"]
        sql = "SELECT at, answer, error FROM stripe_attempts WHERE delivery = ? ORDER BY seq"
        row["attempts"] = house.store.rows(sql, row["seq"])
    return rows


def routes(house: House) -> list[Route]:
    return [
        local_route(house, "stripe/events", _events, "GET"),
        local_route(house, "stripe/deliver", _deliver, "POST"),
        local_route(house, "stripe/undelivered", _undelivered, "GET"),
        local_route(house, "stripe/books", _books, "GET"),
        local_route(house, "stripe/{lever}/{id}", _pull, "POST"),
    ]
