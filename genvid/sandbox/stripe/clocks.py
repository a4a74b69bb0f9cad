"""Time: what falls due happens in its order, in the world's time and on test clocks."""

import asyncio
import logging
from collections.abc import Callable

from genvid.sandbox.stripe import collection, cycle, manual_invoices, pausing, session_outcomes, sessions
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.core import StripeCore
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.lists import page
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.timetable import DAY, next_moment

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0
FARTHEST = 2 * 366 * DAY


async def run(core: StripeCore) -> None:
    """Works off what the world's time brings."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if core.objects.next_due(None, core.now()) is None:
            continue
        try:
            with core.store.together():
                work_off(core, None, core.now())
        except Exception:
            # Whatever it is, time must not stop for everybody else; the log says what could not be done.
            log.exception("What fell due could not be worked off")


def work_off(core: StripeCore, clock: Thing | None, until: int) -> None:
    clock_id = clock["id"] if clock else None
    while (row := core.objects.next_due(clock_id, until)) is not None:
        thing = core.objects.find(row["id"])
        if thing is None:
            return
        with core.moment(row["due_at"]):
            if clock is not None:
                core.save(clock, frozen_time=row["due_at"])
            ACTIONS[thing["object"]](core, thing)
        _must_move_on(core, row["id"], row["due_at"])


def _must_move_on(core: StripeCore, object_id: str, due: int) -> None:
    """An action that leaves its object due at the same moment would be repeated without end."""
    after = core.objects.find(object_id)
    if after is not None and next_moment(after) == due:
        raise RuntimeError(f"{object_id} is still due at {due}")


def _subscription_is_due(core: StripeCore, subscription: Thing) -> None:
    if subscription["status"] == "incomplete":
        cycle.give_up(core, subscription)
    elif subscription["status"] != "trialing":
        cycle.reach_period_end(core, subscription)
    elif not subscription.get("_trial_noticed"):
        core.save(subscription, _trial_noticed=True)
        core.emit("customer.subscription.trial_will_end", subscription)
    elif subscription["cancel_at_period_end"]:
        collection.end(core, subscription)
    else:
        pausing.end_trial(core, subscription)


def _invoice_is_due(core: StripeCore, invoice: Thing) -> None:
    if invoice["status"] == "draft":
        manual_invoices.draft_is_due(core, invoice)
        return
    core.save(invoice, next_payment_attempt=None)
    collection.collect(core, invoice)


def _session_is_due(core: StripeCore, session: Thing) -> None:
    sessions.expire(core, session)


ACTIONS: dict[str, Callable[[StripeCore, Thing], None]] = {
    "subscription": _subscription_is_due,
    "invoice": _invoice_is_due,
    "checkout.session": _session_is_due,
    "payment_intent": session_outcomes.debit_is_due,
}


def create(call: Call) -> Thing:
    frozen = call.form.need_number("frozen_time")
    return call.core.new(
        "test_helpers.test_clock",
        "clock_1",
        deletes_after=call.core.now() + 30 * DAY,
        frozen_time=frozen,
        name=call.form.text("name"),
        status="ready",
        status_details={},
    )


def advance(call: Call) -> Thing:
    """Done when it is answered, though Stripe takes its time over it."""
    core, clock = call.core, call.core.alive("test_helpers.test_clock", call.id)
    until = call.form.need_number("frozen_time")
    if until <= clock["frozen_time"]:
        message = "You can only move test clocks forward in time."
        raise StripeError(message, code="test_clock_invalid", param="frozen_time")
    if until - clock["frozen_time"] > FARTHEST:
        raise StripeError("That is farther than two years.", code="test_clock_invalid", param="frozen_time")
    work_off(core, clock, until)
    core.save(clock, frozen_time=until)
    core.emit("test_helpers.test_clock.ready", clock)
    return clock


def delete(call: Call) -> Thing:
    """Its customers go with it."""
    core, clock = call.core, call.core.alive("test_helpers.test_clock", call.id)
    for customer in core.objects.all("customer", test_clock=clock["id"]):
        for subscription in core.objects.all("subscription", customer=customer["id"]):
            if next_moment(subscription) is not None:
                collection.end(core, subscription)
        core.save({"id": customer["id"], "object": "customer", "deleted": True})
    gone = {"id": clock["id"], "object": "test_helpers.test_clock", "deleted": True}
    core.save(gone)
    return gone


def read(call: Call) -> Thing:
    return call.core.get("test_helpers.test_clock", call.id)


def list_all(call: Call) -> Thing:
    return page(call, "test_helpers.test_clock")


CLOCKS = "/v1/test_helpers/test_clocks"
OPERATIONS = [
    Operation("POST", CLOCKS, create),
    Operation("GET", CLOCKS, list_all),
    Operation("GET", CLOCKS + "/{id}", read),
    Operation("POST", CLOCKS + "/{id}/advance", advance),
    Operation("DELETE", CLOCKS + "/{id}", delete),
]
