"""Test clocks, on which customers live in a time of their own: https://docs.stripe.com/billing/testing/test-clocks."""

from genvid.sandbox.stripe.due_actions import carry_out_due
from genvid.sandbox.stripe.due_times import DAY, next_due_time
from genvid.sandbox.stripe.invoice_collection import end_subscription
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.resources import readable
from genvid.sandbox.stripe.stripe_core import TEST_CLOCK
from genvid.sandbox.stripe.stripe_errors import StripeError
from genvid.sandbox.stripe.stripe_operations import Call, Operation

PATH = "/v1/test_helpers/test_clocks"
FARTHEST = 2 * 366 * DAY


def create(call: Call) -> Json:
    clock = call.core.new(
        TEST_CLOCK,
        "clock_1",
        deletes_after=call.core.now() + 30 * DAY,
        frozen_time=call.form.need_number("frozen_time"),
        name=call.form.text("name"),
        status="ready",
        status_details={},
    )
    call.core.emit("test_helpers.test_clock.created", clock)
    return clock


def advance(call: Call) -> Json:
    """Has advanced when it is answered; at Stripe that takes a while."""
    core, clock = call.core, call.core.get_existing(TEST_CLOCK, call.id)
    until, code = call.form.need_number("frozen_time"), "test_clock_invalid"
    if until <= clock["frozen_time"]:
        raise StripeError("You can only move test clocks forward in time.", code=code, param="frozen_time")
    if until - clock["frozen_time"] > FARTHEST:
        raise StripeError("That is farther than two years.", code=code, param="frozen_time")
    carry_out_due(core, until, clock["id"])
    core.save(clock, frozen_time=until)
    core.emit("test_helpers.test_clock.ready", clock)
    return clock


def delete(call: Call) -> Json:
    core, clock = call.core, call.core.get_existing(TEST_CLOCK, call.id)
    for customer in core.objects.all("customer", test_clock=clock["id"]):
        for subscription in core.objects.all("subscription", customer=customer["id"]):
            if next_due_time(subscription) is not None:
                end_subscription(core, subscription)
        core.delete(customer)
    return core.delete(clock, "test_helpers.test_clock.deleted")


OPERATIONS = [
    *readable(PATH, TEST_CLOCK),
    Operation("POST", PATH, create),
    Operation("POST", PATH + "/{id}/advance", advance),
    Operation("DELETE", PATH + "/{id}", delete),
]
