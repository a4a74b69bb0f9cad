"""Property test: no sequence of plan changes, refunds and disputes leaves credits or balance of lost money."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction

from billing.enums import SyncKind
from billing.stripe import event_types
from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync import handlers
from billing.tests.shop import Shop, balance_of, price_id
from billing.tests.stripe_model import SIGNUP_CREDITS, customer_balance, max_credits, remaining_amount
from genvid.tests.factories import Person, make_caller
from genvid.tests.properties import HealthCheck, given, settings, st

pytestmark = pytest.mark.django_db

SHARE = st.sampled_from([1, 2, 3])
CODES = ["starter-month", "pro-month", "business-month", "starter-year", "business-year"]
ACT = st.one_of(
    st.tuples(st.just("change"), st.tuples(st.sampled_from(CODES), st.sampled_from([0.0, 0.5, 0.9]))),
    st.tuples(st.just("renew"), st.integers(1, 3)),
    st.tuples(st.just("refund"), SHARE),
    st.tuples(st.just("dispute"), SHARE),
)


class Life:
    """Acts of a subscriber, their bank and staff at Stripe, without delivering events."""

    def __init__(self, shop: Shop, person: Person, code: str) -> None:
        self.stripe = shop.stripe
        self.subscription = shop.buy(person, code)["subscription"]

    def change(self, how: tuple[str, float]) -> None:
        code, at = how
        self.stripe.change_price(self.subscription, price_id(code), at_fraction=at)

    def renew(self, times: int) -> None:
        for _ in range(times):
            self.stripe.renew(self.subscription)

    def refund(self, share: int) -> None:
        for charge, left in self.remaining()[:1]:
            self.stripe.refund(charge, amount=max(1, left // share))

    def dispute(self, share: int) -> None:
        for charge, left in self.remaining()[:1]:
            self.stripe.dispute(charge, amount=max(1, left // share))

    def remaining(self) -> list[tuple[str, int]]:
        """Charges with the cents of them that are not lost."""
        lists = self.stripe.records()
        paid = [each for each in lists["charges"] if each["status"] == "succeeded"]
        remaining = [(each["id"], remaining_amount(lists, each)) for each in paid]
        return [(charge, left) for charge, left in remaining if left > 0]

    def lose_everything(self) -> list[str]:
        return [self.stripe.dispute(charge, amount=left)["id"] for charge, left in self.remaining()]


@pytest.fixture(autouse=True)
def subscriptions_go_on(settings):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "keep"


@contextmanager
def rolled_back() -> Iterator[None]:
    """Each example starts with an empty database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def state(shop: Shop, person: Person) -> tuple[int, int]:
    """Credits, and the customer's balance at Stripe in cents."""
    return balance_of(person), customer_balance(shop.stripe.records())


def sync_all(shop: Shop, seed: int) -> None:
    """Syncs each object of the new events, in random order, up to three times."""
    new_events = [event_types.target_of(event["type"], event["data"]["object"]) for event in shop.new_events()]
    waiting = list(dict.fromkeys(target for target in new_events if target is not None))
    random.Random(seed).shuffle(waiting)
    for _ in range(3):
        waiting = [target for target in waiting if not try_sync(*target)]
    assert waiting == []


def try_sync(kind: SyncKind, object_id: str) -> bool:
    try:
        handlers.sync_object(kind, object_id)
    except BillingError as error:
        assert error.retryable
        return False
    return True


@given(
    code=st.sampled_from(CODES),
    acts=st.lists(ACT, min_size=1, max_size=4),
    seed=st.integers(0, 1000),
)
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_credits_or_balance_remain_of_lost_money_and_all_return_with_it(sandbox, code, acts, seed):
    with rolled_back():
        sandbox.reset()
        shop, person = Shop(sandbox), make_caller()
        life = Life(shop, person, code)
        for name, how in acts:
            getattr(life, name)(how)
        sync_all(shop, seed)
        before = state(shop, person)
        assert before[0] <= max_credits(shop.stripe.records())
        disputes = life.lose_everything()
        sync_all(shop, seed)
        lost = state(shop, person)
        for dispute in disputes:
            shop.stripe.close_dispute(dispute, "won")
        sync_all(shop, seed)
        assert (lost, state(shop, person)) == ((SIGNUP_CREDITS, 0), before)
