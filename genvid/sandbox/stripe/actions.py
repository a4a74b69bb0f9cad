"""`/_sandbox/stripe/…`: actions by which a test stands in for buyers, banks and time. For this machine only."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from genvid.sandbox.api_errors import ApiError, refuse
from genvid.sandbox.local_routes import local_route
from genvid.sandbox.stripe import (
    billing_cycle,
    dispute_resource,
    due_actions,
    event_resource,
    invoice_collection,
    refund_resource,
    session_outcomes,
    session_payment,
    session_resource,
)
from genvid.sandbox.stripe.charge_resource import find_charge
from genvid.sandbox.stripe.due_times import period
from genvid.sandbox.stripe.object_store import Json, public_fields
from genvid.sandbox.stripe.session_payment import Payment
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, check_status
from genvid.sandbox.stripe.subscription_changes import ItemChange, change_items
from genvid.sandbox.stripe.subscription_resource import ENDED, cancellation

Action = Callable[[StripeCore, str, Json], Any]


def pay(core: StripeCore, session_id: str, given: Json) -> Json:
    """Pays as the pay page does. Adds `error`, the message that the page would show."""
    session = core.get("checkout.session", session_id)
    if given.get("promotion_code"):
        session_payment.apply_promotion_code(core, session, given["promotion_code"])
    names = ("card", "method", "email", "name", "account")
    session_payment.submit_payment(core, session, Payment(**{name: given[name] for name in names if name in given}))
    intent, passes = _waiting_intent(core, session), given.get("authenticate", True)
    if intent is not None and passes is not None:
        session_outcomes.authenticate(core, intent, passes=passes)
    session = core.get("checkout.session", session_id)
    return {**public_fields(session), "error": session.get("_last_error")}


def _waiting_intent(core: StripeCore, session: Json) -> Json | None:
    intent = session_payment.intent_of(core, session)
    return intent if intent is not None and intent["status"] == "requires_action" else None


def settle_bank(core: StripeCore, intent_id: str, given: Json) -> Json:
    intent = core.get("payment_intent", intent_id)
    return session_outcomes.settle_debit(core, intent, succeeds=given.get("succeeds", True))


def authenticate(core: StripeCore, intent_id: str, given: Json) -> Json:
    session_outcomes.authenticate(core, core.get("payment_intent", intent_id), passes=given.get("passes", True))
    return core.get("payment_intent", intent_id)


def expire(core: StripeCore, session_id: str, given: Json) -> Json:
    return session_resource.expire_session(core, core.get("checkout.session", session_id))


def renew(core: StripeCore, subscription_id: str, given: Json) -> Json:
    subscription = _running(core, subscription_id)
    step = billing_cycle.end_trial if subscription["status"] == "trialing" else billing_cycle.renew
    return step(core, subscription, verdict=given.get("succeeds", True))


def _running(core: StripeCore, subscription_id: str) -> Json:
    subscription = core.get("subscription", subscription_id)
    if subscription["status"] in ENDED:
        raise StripeError(f"This subscription is {subscription['status']}.", param="subscription")
    return subscription


def retry_invoice(core: StripeCore, invoice_id: str, given: Json) -> Json:
    invoice = core.get("invoice", invoice_id)
    check_status(invoice, "open")
    return invoice_collection.collect_invoice(core, invoice, verdict=given.get("succeeds", True))


def end_trial(core: StripeCore, subscription_id: str, given: Json) -> Json:
    subscription = _running(core, subscription_id)
    check_status(subscription, "trialing")
    return billing_cycle.end_trial(core, subscription, verdict=given.get("succeeds", True))


def change_price(core: StripeCore, subscription_id: str, given: Json) -> Json:
    """Moves the period so that this share of it has passed, then changes the price."""
    subscription = _running(core, subscription_id)
    start, end = period(subscription)
    passed = round((end - start) * given.get("at_fraction", 0.5))
    now = core.now()
    begun = now - passed
    core.save(subscription, items=billing_cycle.items_in_period(subscription, begun, begun + end - start))
    price, item = core.get("price", given["price"], "price"), subscription["items"]["data"][0]
    wanted = [ItemChange(item["id"], price, item["quantity"], item["metadata"])]
    change_items(core, subscription, wanted, given.get("behavior", "always_invoice"))
    return core.get("subscription", subscription_id)


def cancel(core: StripeCore, subscription_id: str, given: Json) -> Json:
    subscription = _running(core, subscription_id)
    if not given.get("at_period_end", False):
        return invoice_collection.end_subscription(core, subscription)
    return core.change(subscription, billing_cycle.UPDATED, **cancellation(core, subscription, True))


def end_period(core: StripeCore, subscription_id: str, given: Json) -> Json:
    subscription = _running(core, subscription_id)
    if subscription["cancel_at_period_end"]:
        invoice_collection.end_subscription(core, subscription)
    else:
        renew(core, subscription_id, given)
    return core.get("subscription", subscription_id)


def refund(core: StripeCore, wanted: str, given: Json) -> Json:
    charge, status = find_charge(core, wanted), given.get("status", "succeeded")
    if status not in ("succeeded", "pending", "failed", "canceled"):
        raise StripeError(f"No such status: {status}", param="status")
    first = status if status in ("succeeded", "pending") else "pending"
    made = refund_resource.create_refund(core, charge, given.get("amount"), status=first)
    return refund_resource.reverse_refund(core, made, status) if first != status else made


def fail_refund(core: StripeCore, refund_id: str, given: Json) -> Json:
    return refund_resource.reverse_refund(core, core.get("refund", refund_id), "failed")


def succeed_refund(core: StripeCore, refund_id: str, given: Json) -> Json:
    return refund_resource.complete_refund(core, core.get("refund", refund_id))


def dispute(core: StripeCore, wanted: str, given: Json) -> Json:
    reason, warning = given.get("reason", "fraudulent"), given.get("warning", False)
    return dispute_resource.open_dispute(core, find_charge(core, wanted), given.get("amount"), reason, warning=warning)


def close_dispute(core: StripeCore, dispute_id: str, given: Json) -> Json:
    return dispute_resource.close_dispute(core, core.get("dispute", dispute_id), given.get("status", "won"))


def fraud_warning(core: StripeCore, wanted: str, given: Json) -> Json:
    return dispute_resource.create_fraud_warning(core, find_charge(core, wanted))


def advance_clock(core: StripeCore, seconds: str, given: Json) -> Json:
    passed = core.store.setting("stripe_clock", 0)
    until = core.now() + int(seconds)
    due_actions.carry_out_due(core, until)
    core.store.set("stripe_clock", passed + int(seconds))
    return {"now": until}


ACTIONS: dict[str, Action] = {
    action.__name__: action
    for action in (
        pay,
        settle_bank,
        authenticate,
        expire,
        renew,
        retry_invoice,
        end_trial,
        change_price,
        cancel,
        end_period,
        refund,
        fail_refund,
        succeed_refund,
        dispute,
        close_dispute,
        fraud_warning,
        advance_clock,
    )
}


async def _run(core: StripeCore, request: Request, body: Any) -> Any:
    action = ACTIONS.get(request.path_params["action"])
    if action is None:
        raise ApiError("not_found", "There is no such action")
    object_id = request.path_params["id"]
    with core.store.together(), core.on_clock_of([object_id]):
        return _translate_refusal(lambda: public_fields(action(core, object_id, body or {})))


def _translate_refusal(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except StripeError as error:
        raise ApiError(error.code or "invalid_request", error.message, status=error.status) from error


async def _events(core: StripeCore, request: Request, body: Any) -> Any:
    return {"events": event_resource.all_events(core, request.query_params.get("after"))}


async def _deliver(core: StripeCore, request: Request, body: Any) -> Any:
    pairs: list[tuple[Json, Json]] = []
    ids = (body or {}).get("event_ids")
    if not isinstance(ids, list):
        refuse("event_ids", "event_ids is a list")
    for event in _translate_refusal(lambda: [core.get("event", one) for one in ids]):
        receivers = [(public_fields(event), endpoint) for endpoint in core.listeners(event["type"])]
        pairs += receivers * body.get("copies", 1)
    return {"deliveries": await core.sender.deliver_all(pairs, parallel=body.get("parallel", True))}


async def _undelivered(core: StripeCore, request: Request, body: Any) -> Any:
    undelivered = set(core.sender.undelivered())
    return {"events": [event for event in event_resource.all_events(core, None) if event["id"] in undelivered]}


async def _books(core: StripeCore, request: Request, body: Any) -> Any:
    objects = core.objects
    kinds = {"charges": "charge", "refunds": "refund", "disputes": "dispute", "sessions": "checkout.session"}
    kinds |= {"subscriptions": "subscription", "invoices": "invoice", "customers": "customer"}
    found: dict[str, Any] = {name: [public_fields(one) for one in objects.all(kind)] for name, kind in kinds.items()}
    return {"counts": objects.counts(), **found, "deliveries": _deliveries(core)}


def _deliveries(core: StripeCore) -> list[Json]:
    rows = core.store.rows("SELECT * FROM stripe_deliveries ORDER BY seq")
    for row in rows:
        del row["body"]
        sql = "SELECT at, answer, error FROM stripe_attempts WHERE delivery = ? ORDER BY seq"
        row["attempts"] = core.store.rows(sql, row["seq"])
    return rows


def routes(core: StripeCore) -> list[Route]:
    return [
        local_route(core, "stripe/events", _events, "GET"),
        local_route(core, "stripe/deliver", _deliver, "POST"),
        local_route(core, "stripe/undelivered", _undelivered, "GET"),
        local_route(core, "stripe/records", _books, "GET"),
        local_route(core, "stripe/{action}/{id}", _run, "POST"),
    ]
