"""A worker that dies before any statement, or at any call: the next one makes the avatar, and charges it once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from avatars.enums import CreationKind, EntryStatus
from avatars.models import Creation, Upload
from avatars.own import changes, clients, orders, work
from avatars.own.orders import Consent, CreationRequest
from avatars.tests.fake_maker import Crash, FakeMaker
from avatars.tests.own_entries import CONTENT, KINDS, fresh
from billing.models import Tier
from genvid.heygen.avatar_making import MakingState
from genvid.tests.factories import make_caller
from videos.tests.pipeline import Money, money_of

pytestmark = pytest.mark.django_db(transaction=True)
MOST_STATEMENTS = 80


@pytest.fixture
def heygen(monkeypatch):
    fake = FakeMaker()
    monkeypatch.setattr(clients, "AvatarMaker", lambda client: fake)
    return fake


@contextmanager
def dying_at(number: int) -> Iterator[None]:
    """Kills the worker before its statement of that number, from 0. Its connection is lost."""
    left = [number]

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        if left[0] == 0:
            raise Crash
        left[0] -= 1
        return execute(*args)

    with connection.execute_wrapper(count):
        yield


def order(person, kind: CreationKind) -> Creation:
    upload = Upload.objects.create(account=person.account, kind=CONTENT[kind][0], provider_asset_id="asset")
    return orders.order(person.caller, CreationRequest(kind, "Ada", upload.pk, Consent(True, "Ada"), "English"))


def make(creation: Creation, heygen: FakeMaker) -> None:
    """All its steps, with HeyGen finishing and the person consenting in between."""
    for _ in range(5):
        Creation.objects.filter(pk=creation.pk, due_at__isnull=False).update(due_at=timezone.now())
        work.work_on(str(creation.pk))
        for made in heygen.live():
            heygen.change(made.id, state=MakingState.COMPLETED, consented=True)


@pytest.mark.parametrize("answer", ["busy", "operator", "full"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_repeated_order_that_heygen_does_not_take_makes_no_second_one(heygen, kind, answer):
    """The first order was taken, its answer was lost, and it is not listed yet."""
    creation = order(make_caller(balance=10_000), kind)
    heygen.create_plan, heygen.is_listing = ["lost", answer, answer], False
    make(creation, heygen)
    heygen.is_listing = True
    make(creation, heygen)
    assert (fresh(creation).status, len(heygen.made)) == (EntryStatus.READY, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_is_not_repeated_once_it_is_deleted_while_it_is_looked_up(heygen, kind):
    person = make_caller(balance=100)
    creation = order(person, kind)
    heygen.create_plan = ["unknown"]
    work.work_on(str(creation.pk))
    Creation.objects.filter(pk=creation.pk).update(due_at=timezone.now())
    heygen.while_listing = lambda: changes.delete(person.caller, fresh(creation))
    work.work_on(str(creation.pk))
    assert fresh(creation).error_code == "deleted"
    assert heygen.made == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_statement_a_worker_dies_at_one_is_made_and_charged(heygen, kind):
    Tier.objects.update(own_avatars=999, own_voices=999)
    person, fee, count = make_caller(balance=10_000), 0, 0
    for number in range(MOST_STATEMENTS):
        creation, died = order(person, kind), True
        with suppress(Crash), dying_at(number):
            make(creation, heygen)
            died = False
        make(creation, heygen)
        made, count = fresh(creation), count + 1
        fee = made.credits_charged
        assert made.status == EntryStatus.READY
        assert [each.id for each in heygen.live() if each.name.startswith(made.marker)] == [made.provider_object_id]
        assert money_of(person) == Money(10_000 - fee * count, charges=count)
        if not died:
            break
    assert not died
    assert count > 15


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("when", ["crash", "crash_after"])
def test_a_worker_that_dies_around_the_order_makes_nothing_twice(heygen, kind, when):
    person = make_caller(balance=100)
    creation = order(person, kind)
    heygen.plan = [when]
    with suppress(Crash):
        work.work_on(str(creation.pk))
    assert fresh(creation).status == EntryStatus.CREATING
    make(creation, heygen)
    assert fresh(creation).status == EntryStatus.READY
    assert len(heygen.made) == 1
