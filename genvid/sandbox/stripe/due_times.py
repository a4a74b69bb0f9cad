"""When an object is due to change by itself."""

from typing import Any

HOUR, DAY = 3600, 24 * 3600
INCOMPLETE_FOR = 23 * HOUR
TRIAL_NOTICE = 3 * DAY
RUNNING = ("active", "past_due", "unpaid")


def next_due_time(obj: dict[str, Any]) -> int | None:
    moment = MOMENTS.get(obj["object"])
    return None if moment is None or obj.get("deleted") else moment(obj)


def _of_session(session: dict[str, Any]) -> int | None:
    return int(session["expires_at"]) if session["status"] == "open" else None


def _of_invoice(invoice: dict[str, Any]) -> int | None:
    names = {"draft": "automatically_finalizes_at", "open": "next_payment_attempt"}
    due = invoice.get(names.get(invoice["status"], ""))
    return int(due) if due else None


def _of_subscription(subscription: dict[str, Any]) -> int | None:
    if subscription["status"] == "incomplete":
        return int(subscription["created"]) + INCOMPLETE_FOR
    if subscription["status"] == "trialing":
        notice = subscription["trial_end"] - TRIAL_NOTICE
        return int(subscription["trial_end"] if subscription.get("_trial_noticed") else notice)
    return period(subscription)[1] if subscription["status"] in RUNNING else None


def period(subscription: dict[str, Any]) -> tuple[int, int]:
    """The current period. It stands on the items, which all have the same one here."""
    item = subscription["items"]["data"][0]
    return int(item["current_period_start"]), int(item["current_period_end"])


def _of_intent(intent: dict[str, Any]) -> int | None:
    return int(intent["_settles_at"]) if intent["status"] == "processing" else None


MOMENTS = {
    "checkout.session": _of_session,
    "invoice": _of_invoice,
    "payment_intent": _of_intent,
    "subscription": _of_subscription,
}
