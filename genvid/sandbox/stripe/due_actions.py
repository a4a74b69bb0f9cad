"""Carries out what falls due: renewals, ends of trials, retries of invoices, expiries, answers to bank debits."""

import asyncio
import logging
from collections.abc import Callable

from genvid.sandbox.stripe import (
    billing_cycle,
    invoice_collection,
    invoice_drafts,
    session_outcomes,
    session_resource,
    trial_ends,
)
from genvid.sandbox.stripe.due_times import next_due_time
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.stripe_core import StripeCore

log = logging.getLogger(__name__)
CHECK_EVERY = 1.0


async def run(core: StripeCore) -> None:
    while True:
        await asyncio.sleep(CHECK_EVERY)
        if core.objects.next_due(core.now(), None) is None:
            continue
        try:
            with core.store.together():
                carry_out_due(core, core.now())
        except Exception:
            # Whatever it is, time must not stop for everybody else; the log says what could not be done.
            log.exception("What fell due could not be worked off")


def carry_out_due(core: StripeCore, until: int, clock: str | None = None) -> None:
    """Carries out everything that falls due until then on a test clock, or on none, each at its own time."""
    while (row := core.objects.next_due(until, clock)) is not None:
        found = core.objects.find(row["id"])
        if found is None:
            return
        with core.at_time(row["due_at"], clock):
            DUE_ACTIONS[found["object"]](core, found)
        _check_progress(core, row["id"], row["due_at"])


def _check_progress(core: StripeCore, object_id: str, due: int) -> None:
    """Raises RuntimeError if an object is still due at the same time: it would be repeated without end."""
    after = core.objects.find(object_id)
    if after is not None and next_due_time(after) == due:
        raise RuntimeError(f"{object_id} is still due at {due}")


def _subscription_is_due(core: StripeCore, subscription: Json) -> None:
    if subscription["status"] == "incomplete":
        billing_cycle.expire_incomplete(core, subscription)
    elif subscription["status"] != "trialing":
        billing_cycle.reach_period_end(core, subscription)
    elif not subscription.get("_trial_noticed"):
        core.save(subscription, _trial_noticed=True)
        core.emit("customer.subscription.trial_will_end", subscription)
    elif subscription["cancel_at_period_end"]:
        invoice_collection.end_subscription(core, subscription)
    else:
        trial_ends.reach_trial_end(core, subscription)


def _invoice_is_due(core: StripeCore, invoice: Json) -> None:
    if invoice["status"] == "draft":
        invoice_drafts.draft_is_due(core, invoice)
        return
    core.save(invoice, next_payment_attempt=None)
    invoice_collection.collect_invoice(core, invoice)


DUE_ACTIONS: dict[str, Callable[[StripeCore, Json], object]] = {
    "subscription": _subscription_is_due,
    "invoice": _invoice_is_due,
    "checkout.session": session_resource.expire_session,
    "payment_intent": session_outcomes.debit_is_due,
}
