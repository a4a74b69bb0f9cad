"""No sequence of ordinary acts leaves credits or balance from money that went back."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction

from billing.enums import SyncKind
from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync import handlers, sync_queue
from billing.tests.shop import Shop, balance_of, price_id
from billing.tests.stripe_model import WELCOME, credit, most, rest_of
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
    """What a subscriber, their bank and staff do, while nobody tells us."""

    def __init__(self, shop: Shop, person: Person, code: str) -> None:
        self.levers = shop.stripe
        self.subscription = shop.buy(person, code)["subscription"]

    def change(self, how: tuple[str, float]) -> None:
        code, at = how
        self.levers.change_price(self.subscription, price_id(code), at_fraction=at)

    def renew(self, times: int) -> None:
        for _ in range(times):
            self.levers.renew(self.subscription)

    def refund(self, share: int) -> None:
        for charge, left in self.rests()[:1]:
            self.levers.refund(charge, amount=max(1, left // share))

    def dispute(self, share: int) -> None:
        for charge, left in self.rests()[:1]:
            self.levers.dispute(charge, amount=max(1, left // share))

    def rests(self) -> list[tuple[str, int]]:
        """Charges, and what of them is here."""
        books = self.levers.records()
        paid = [each for each in books["charges"] if each["status"] == "succeeded"]
        rests = [(each["id"], rest_of(books, each)) for each in paid]
        return [(charge, left) for charge, left in rests if left > 0]

    def lose_everything(self) -> list[str]:
        return [self.levers.dispute(charge, amount=left)["id"] for charge, left in self.rests()]


@pytest.fixture(autouse=True)
def subscriptions_go_on(settings):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "keep"


@contextmanager
def undone() -> Iterator[None]:
    """Each example starts with empty books on both sides."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def state(shop: Shop, person: Person) -> tuple[int, int]:
    """Credits, and cents to their credit at Stripe."""
    return balance_of(person), credit(shop.stripe.records())


def look(shop: Shop, seed: int) -> None:
    """Once at each thing that something happened to, in any order; again at what needed another first."""
    new_events = [sync_queue.target_of(event["type"], event["data"]["object"]) for event in shop.new_events()]
    waiting = list(dict.fromkeys(target for target in new_events if target is not None))
    random.Random(seed).shuffle(waiting)
    for _ in range(3):
        waiting = [target for target in waiting if not followed(*target)]
    assert waiting == []


def followed(kind: SyncKind, object_id: str) -> bool:
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
def test_whatever_was_done_nothing_is_left_of_money_that_went_back_and_all_returns_with_it(sandbox, code, acts, seed):
    with undone():
        sandbox.reset()
        shop, person = Shop(sandbox), make_caller()
        life = Life(shop, person, code)
        for name, how in acts:
            getattr(life, name)(how)
        look(shop, seed)
        before = state(shop, person)
        assert before[0] <= most(shop.stripe.records())
        disputes = life.lose_everything()
        look(shop, seed)
        lost = state(shop, person)
        for dispute in disputes:
            shop.stripe.close_dispute(dispute, "won")
        look(shop, seed)
        assert (lost, state(shop, person)) == ((WELCOME, 0), before)
