"""Reads from Stripe by id, since an event's copy of an object may be old. All raise BillingError.

Source of the shapes: Stripe's API 2026-05-27.dahlia.
"""

from datetime import UTC, datetime
from typing import Any

import structlog

from billing.enums import DisputeStatus, InvoiceStatus, RefundStatus, SubscriptionStatus
from billing.stripe.stripe_client import Json, get, list_all
from billing.stripe.stripe_errors import BillingError
from billing.stripe.stripe_types import (
    ChargeState,
    DisputeState,
    IntentState,
    InvoiceLine,
    InvoiceState,
    RefundState,
    SessionLine,
    SessionState,
    SubscriptionState,
)

logger = structlog.get_logger(__name__)

DISPUTES = {
    "warning_needs_response": DisputeStatus.INQUIRY,
    "warning_under_review": DisputeStatus.INQUIRY,
    "warning_closed": DisputeStatus.CLOSED,
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
    "prevented": DisputeStatus.CLOSED,
}
"""`prevented` disputes were settled by a refund before any money moved."""
MARKS = frozenset({"checkout_id", "top_up_id"})
"""Metadata keys that `commands` writes. Charges inherit them from payment intents."""
COLLECTED = frozenset({SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})
"""In these statuses only `pause_collection` shows that collection is paused."""


def session(session_id: str) -> SessionState:
    found = get(f"checkout/sessions/{session_id}", expand=["line_items"])
    lines = [SessionLine(_id(line["price"]), int(line["quantity"] or 1)) for line in found["line_items"]["data"]]
    return SessionState(
        id=found["id"],
        mode=found["mode"],
        status=found["status"] or "open",
        is_paid=found["status"] == "complete" and found["payment_status"] in ("paid", "no_payment_required"),
        customer_id=_id(found["customer"]),
        payment_intent_id=_id(found["payment_intent"]),
        subscription_id=_id(found["subscription"]),
        amount=found["amount_total"] or 0,
        currency=found["currency"] or "",
        created_at=_moment(found["created"]),
        lines=lines,
    )


def session_of_intent(payment_intent_id: str) -> str:
    found = get("checkout/sessions", payment_intent=payment_intent_id, limit=1)["data"]
    return str(found[0]["id"]) if found else ""


def invoice_of_intent(payment_intent_id: str) -> str:
    asked = {"type": "payment_intent", "payment_intent": payment_intent_id}
    found = get("invoice_payments", payment=asked, limit=1)["data"]
    return _id(found[0]["invoice"]) if found else ""


def invoice(invoice_id: str) -> InvoiceState:
    found = get(f"invoices/{invoice_id}")
    parent = (found.get("parent") or {}).get("subscription_details") or {}
    transitions = found.get("status_transitions") or {}
    status = InvoiceStatus(found["status"])
    lines = _lines_of(found)
    trial_ends_at = _trial_end(_id(parent.get("subscription"))) if any(map(_is_zero_proration, lines)) else None
    return InvoiceState(
        id=found["id"],
        customer_id=_id(found["customer"]),
        subscription_id=_id(parent.get("subscription")),
        status=status,
        reason=found.get("billing_reason") or "",
        number=found.get("number") or "",
        amount_due=found["amount_due"],
        amount_paid=found["amount_paid"],
        currency=found["currency"],
        attempts=found.get("attempt_count") or 0,
        created_at=_moment(found["created"]),
        period_start=_moment(found["period_start"]),
        period_end=_moment(found["period_end"]),
        hosted_url=found.get("hosted_invoice_url") or "",
        pdf_url=found.get("invoice_pdf") or "",
        next_attempt_at=_moment_or_none(found.get("next_payment_attempt")),
        paid_at=_moment_or_none(transitions.get("paid_at")),
        payment_intent_id=_intent_that_paid(found["id"]) if status == InvoiceStatus.PAID else "",
        lines=[_invoice_line(line, trial_ends_at) for line in lines],
        credit_before=max(0, -(found.get("starting_balance") or 0)),
        credit_after=max(0, -(found.get("ending_balance") or 0)),
        is_marked=_is_marked(parent),
    )


def _lines_of(found: Json) -> list[Json]:
    lines: list[Json] = found["lines"]["data"]
    return list(list_all(f"invoices/{found['id']}/lines")) if found["lines"]["has_more"] else lines


def _details_of(line: Json) -> Json:
    parent = line.get("parent") or {}
    details: Json = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return details


def _is_zero_proration(line: Json) -> bool:
    return line["amount"] == 0 and bool(_details_of(line).get("proration"))


def _trial_end(subscription_id: str) -> datetime | None:
    try:
        return _moment_or_none(get(f"subscriptions/{subscription_id}").get("trial_end")) if subscription_id else None
    except BillingError as error:
        if error.code != "not_found":
            raise
        return None


def _invoice_line(line: Json, trial_ends_at: datetime | None) -> InvoiceLine:
    price = ((line.get("pricing") or {}).get("price_details") or {}).get("price")
    start, details = _moment(line["period"]["start"]), _details_of(line)
    sign_of_zero = 0
    if _is_zero_proration(line) and not (trial_ends_at and start < trial_ends_at):
        sign_of_zero = -1 if (details.get("proration_details") or {}).get("credited_items") else 1
    return InvoiceLine(
        id=line["id"],
        price_id=_id(price),
        quantity=int(line.get("quantity") or 1),
        amount=line["amount"],
        is_proration=bool(details.get("proration")),
        start=start,
        end=_moment(line["period"]["end"]),
        sign_of_zero=sign_of_zero,
    )


def _intent_that_paid(invoice_id: str) -> str:
    for found in get("invoice_payments", invoice=invoice_id, status="paid", limit=10)["data"]:
        if intent := _id(found["payment"].get("payment_intent")):
            return intent
    return ""


def subscription(subscription_id: str) -> SubscriptionState:
    found = get(f"subscriptions/{subscription_id}")
    items = found["items"]["data"]
    return SubscriptionState(
        id=found["id"],
        customer_id=_id(found["customer"]),
        price_ids=[_id(item["price"]) for item in items],
        status=_status_of(found),
        current_period_start=_moment(items[0]["current_period_start"]),
        current_period_end=_moment(items[0]["current_period_end"]),
        trial_ends_at=_moment_or_none(found.get("trial_end")),
        cancel_at_period_end=bool(found["cancel_at_period_end"]),
        canceled_at=_moment_or_none(found.get("canceled_at")),
        ended_at=_moment_or_none(found.get("ended_at")),
        created_at=_moment(found["created"]),
        is_marked=_is_marked(found),
    )


def _status_of(found: Json) -> SubscriptionStatus:
    # While collection is paused nobody pays, whatever Stripe's status.
    status = SubscriptionStatus(found["status"])
    return SubscriptionStatus.PAUSED if found.get("pause_collection") and status in COLLECTED else status


def charge(charge_id: str) -> ChargeState:
    """With refunds, disputes and fraud warnings: four requests."""
    found = get(f"charges/{charge_id}")
    warnings = get("radar/early_fraud_warnings", charge=charge_id, limit=10)["data"]
    return ChargeState(
        id=found["id"],
        customer_id=_id(found["customer"]),
        payment_intent_id=_id(found["payment_intent"]),
        amount=found["amount"],
        currency=found["currency"],
        is_paid=bool(found["paid"]) and found["status"] == "succeeded",
        receipt_url=found.get("receipt_url") or "",
        created_at=_moment(found["created"]),
        fraud_warned_at=min((_moment(warning["created"]) for warning in warnings), default=None),
        refunds=[_refund(refund) for refund in list_all("refunds", charge=charge_id)],
        disputes=[_dispute(dispute) for dispute in list_all("disputes", charge=charge_id)],
        is_marked=_is_marked(found),
    )


def _refund(found: Json) -> RefundState:
    return RefundState(found["id"], found["amount"], RefundStatus(found["status"]), _moment(found["created"]))


def _dispute(found: Json) -> DisputeState:
    status = DISPUTES.get(found["status"])
    if status is None:
        logger.error("dispute_status_unknown", status=found["status"], dispute=found["id"])
        raise BillingError("unknown", f"dispute status {found['status']}", retryable=True)
    return DisputeState(found["id"], found["amount"], status, found.get("reason") or "", _moment(found["created"]))


def intent(payment_intent_id: str) -> IntentState:
    return intent_facts(get(f"payment_intents/{payment_intent_id}"))


def intent_of_top_up(customer_id: str, top_up_id: str, *, since: datetime) -> IntentState | None:
    for found in list_all("payment_intents", customer=customer_id, created={"gte": int(since.timestamp()) - 60}):
        if (found.get("metadata") or {}).get("top_up_id") == top_up_id:
            return intent_facts(found)
    return None


def intent_facts(found: Json) -> IntentState:
    error = found.get("last_payment_error") or {}
    return IntentState(
        id=found["id"],
        status=found["status"],
        customer_id=_id(found["customer"]),
        amount=found["amount"],
        currency=found["currency"],
        charge_id=_id(found.get("latest_charge")),
        created_at=_moment(found["created"]),
        top_up_id=(found.get("metadata") or {}).get("top_up_id", ""),
        error=error.get("decline_code") or error.get("code") or "",
    )


def _is_marked(found: Json) -> bool:
    return bool(MARKS & (found.get("metadata") or {}).keys())


def _id(found: Any) -> str:
    return str(found["id"]) if isinstance(found, dict) else str(found or "")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _moment_or_none(seconds: int | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)
