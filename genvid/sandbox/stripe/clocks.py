"""Time: what falls due happens in its order, in the world's time and on test clocks."""

import asyncio
import logging
from collections.abc import Callable

from genvid.sandbox.stripe import collection, cycle, manual_invoices, pausing, session_outcomes, sessions
from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.books import Thing
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.lists import page
from genvid.sandbox.stripe.timetable import DAY, next_moment

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0
FARTHEST = 2 * 366 * DAY


async def run(bank: Bank) -> None:
    """Works off what the world's time brings."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if bank.books.next_due(None, bank.now()) is None:
            continue
        try:
            with bank.store.together():
                work_off(bank, None, bank.now())
        except Exception:
            # Whatever it is, time must not stop for everybody else; the log says what could not be done.
            log.exception("What fell due could not be worked off")


def work_off(bank: Bank, clock: Thing | None, until: int) -> None:
    clock_id = clock["id"] if clock else None
    while (row := bank.books.next_due(clock_id, until)) is not None:
        thing = bank.books.find(row["id"])
        if thing is None:
            return
        with bank.moment(row["due_at"]):
            if clock is not None:
                bank.save(clock, frozen_time=row["due_at"])
            DEEDS[thing["object"]](bank, thing)
        _must_move_on(bank, row["id"], row["due_at"])


def _must_move_on(bank: Bank, object_id: str, due: int) -> None:
    """A deed that leaves its object due at the same moment would never come to an end."""
    after = bank.books.find(object_id)
    if after is not None and next_moment(after) == due:
        raise RuntimeError(f"{object_id} is still due at {due}")


def _subscription_is_due(bank: Bank, subscription: Thing) -> None:
    if subscription["status"] == "incomplete":
        cycle.give_up(bank, subscription)
    elif subscription["status"] != "trialing":
        cycle.reach_period_end(bank, subscription)
    elif not subscription.get("_trial_noticed"):
        bank.save(subscription, _trial_noticed=True)
        bank.emit("customer.subscription.trial_will_end", subscription)
    elif subscription["cancel_at_period_end"]:
        collection.end(bank, subscription)
    else:
        pausing.end_trial(bank, subscription)


def _invoice_is_due(bank: Bank, invoice: Thing) -> None:
    if invoice["status"] == "draft":
        manual_invoices.draft_is_due(bank, invoice)
        return
    bank.save(invoice, next_payment_attempt=None)
    collection.collect(bank, invoice)


def _session_is_due(bank: Bank, session: Thing) -> None:
    sessions.expire(bank, session)


DEEDS: dict[str, Callable[[Bank, Thing], None]] = {
    "subscription": _subscription_is_due,
    "invoice": _invoice_is_due,
    "checkout.session": _session_is_due,
    "payment_intent": session_outcomes.debit_is_due,
}


def create(call: Call) -> Thing:
    frozen = call.form.need_number("frozen_time")
    return call.bank.new(
        "test_helpers.test_clock",
        "clock_1",
        deletes_after=call.bank.now() + 30 * DAY,
        frozen_time=frozen,
        name=call.form.text("name"),
        status="ready",
        status_details={},
    )


def advance(call: Call) -> Thing:
    """Done when it is answered, though Stripe takes its time over it."""
    bank, clock = call.bank, call.bank.alive("test_helpers.test_clock", call.id)
    until = call.form.need_number("frozen_time")
    if until <= clock["frozen_time"]:
        message = "You can only move test clocks forward in time."
        raise StripeError(message, code="test_clock_invalid", param="frozen_time")
    if until - clock["frozen_time"] > FARTHEST:
        raise StripeError("That is farther than two years.", code="test_clock_invalid", param="frozen_time")
    work_off(bank, clock, until)
    bank.save(clock, frozen_time=until)
    bank.emit("test_helpers.test_clock.ready", clock)
    return clock


def delete(call: Call) -> Thing:
    """Its customers go with it."""
    bank, clock = call.bank, call.bank.alive("test_helpers.test_clock", call.id)
    for customer in bank.books.all("customer", test_clock=clock["id"]):
        for subscription in bank.books.all("subscription", customer=customer["id"]):
            if next_moment(subscription) is not None:
                collection.end(bank, subscription)
        bank.save({"id": customer["id"], "object": "customer", "deleted": True})
    gone = {"id": clock["id"], "object": "test_helpers.test_clock", "deleted": True}
    bank.save(gone)
    return gone


def read(call: Call) -> Thing:
    return call.bank.get("test_helpers.test_clock", call.id)


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
