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
from genvid.sandbox.stripe.due_times import next_moment
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.stripe_core import StripeCore

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0


async def run(core: StripeCore) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if core.objects.next_due(core.now()) is None:
            continue
        try:
            with core.store.together():
                work_off(core, core.now())
        except Exception:
            # Whatever it is, time must not stop for everybody else; the log says what could not be done.
            log.exception("What fell due could not be worked off")


def work_off(core: StripeCore, until: int) -> None:
    """Carries out all that falls due until then, each at its own time."""
    while (row := core.objects.next_due(until)) is not None:
        found = core.objects.find(row["id"])
        if found is None:
            return
        with core.at_time(row["due_at"]):
            ACTIONS[found["object"]](core, found)
        _must_move_on(core, row["id"], row["due_at"])


def _must_move_on(core: StripeCore, object_id: str, due: int) -> None:
    """An action that leaves its object due at the same moment would be repeated without end."""
    after = core.objects.find(object_id)
    if after is not None and next_moment(after) == due:
        raise RuntimeError(f"{object_id} is still due at {due}")


def _subscription_is_due(core: StripeCore, subscription: Thing) -> None:
    if subscription["status"] == "incomplete":
        billing_cycle.give_up(core, subscription)
    elif subscription["status"] != "trialing":
        billing_cycle.reach_period_end(core, subscription)
    elif not subscription.get("_trial_noticed"):
        core.save(subscription, _trial_noticed=True)
        core.emit("customer.subscription.trial_will_end", subscription)
    elif subscription["cancel_at_period_end"]:
        invoice_collection.end(core, subscription)
    else:
        trial_ends.end_trial(core, subscription)


def _invoice_is_due(core: StripeCore, invoice: Thing) -> None:
    if invoice["status"] == "draft":
        invoice_drafts.draft_is_due(core, invoice)
        return
    core.save(invoice, next_payment_attempt=None)
    invoice_collection.collect(core, invoice)


ACTIONS: dict[str, Callable[[StripeCore, Thing], object]] = {
    "subscription": _subscription_is_due,
    "invoice": _invoice_is_due,
    "checkout.session": session_resource.expire,
    "payment_intent": session_outcomes.debit_is_due,
}
