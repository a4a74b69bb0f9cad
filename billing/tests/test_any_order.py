"""Events of Stripe in any order, any number of times, with crashes anywhere: the ledger equals Stripe's own lists."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.core.servers.basehttp import WSGIRequestHandler
from django.db import connection, transaction
from django.utils import timezone
from djstripe.models import Event as MirroredEvent

from billing.enums import EntryKind
from billing.models import LedgerEntry, Payment, StripeSync
from billing.stripe import queries, stripe_client
from billing.stripe_sync import sync_queue
from billing.tests.shop import Shop, balance_of, due, stuck
from billing.tests.stripe_events import failing_notes
from billing.tests.stripe_model import balance
from genvid.tests.factories import Person, make_caller
from genvid.tests.parallel import in_parallel
from genvid.tests.properties import HealthCheck, given, settings, st

SHARE = st.integers(min_value=1, max_value=4)
DEED = st.one_of(
    st.tuples(st.just("buy"), st.sampled_from(["pack-100", "pack-500"])),
    st.tuples(st.just("subscribe"), st.sampled_from(["starter-month", "pro-month"])),
    st.tuples(st.just("renew"), st.booleans()),
    st.tuples(st.just("refund"), SHARE),
    st.tuples(st.just("fail_refund"), SHARE),
    st.tuples(st.just("dispute"), st.sampled_from(["open", "won", "lost", "warning"])),
)


class Life:
    """What happens at Stripe between a buyer and their bank, while nobody tells us."""

    def __init__(self, shop: Shop, person: Person) -> None:
        self.shop, self.person = shop, person
        self.subscription = ""

    def do(self, deed: str, how: Any) -> None:
        getattr(self, deed)(how)

    def buy(self, code: str) -> None:
        self.shop.buy(self.person, code)

    def subscribe(self, code: str) -> None:
        if not self.subscription:
            self.subscription = self.shop.buy(self.person, code)["subscription"]

    def renew(self, succeeds: bool) -> None:
        if self.subscription:
            self.shop.stripe.renew(self.subscription, succeeds=succeeds)

    def refund(self, share: int) -> None:
        if charge := self.untouched():
            self.shop.stripe.refund(charge["id"], amount=charge["amount"] // share)

    def fail_refund(self, share: int) -> None:
        if charge := self.untouched():
            refund = self.shop.stripe.refund(charge["id"], amount=charge["amount"] // share, status="pending")
            self.shop.stripe.fail_refund(refund["id"])

    def dispute(self, end: str) -> None:
        if charge := self.untouched():
            dispute = self.shop.stripe.dispute(charge["id"], warning=end == "warning")
            if end in ("won", "lost"):
                self.shop.stripe.close_dispute(dispute["id"], end)

    def untouched(self) -> dict[str, Any] | None:
        """A charge of which nothing went back yet."""
        books = self.shop.stripe.records()
        touched = {each["charge"] for each in (*books["refunds"], *books["disputes"])}
        free = [charge for charge in books["charges"] if charge["id"] not in touched and charge["paid"]]
        return free[0] if free else None


@contextmanager
def undone() -> Iterator[None]:
    """Each example starts with empty books on both sides."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def lived(sandbox: Any, deeds: list[tuple[str, Any]]) -> tuple[Shop, Person, list[Any]]:
    """A shop, its buyer and the new_events of their deeds, which nobody has heard yet."""
    sandbox.reset()
    shop, person = Shop(sandbox), make_caller()
    life = Life(shop, person)
    for deed in deeds:
        life.do(*deed)
    return shop, person, shop.new_events()


@pytest.mark.django_db
@given(
    deeds=st.lists(DEED, min_size=2, max_size=7),
    order=st.sampled_from(["in order", "reversed", "shuffled", "shuffled and doubled"]),
    seed=st.integers(0, 1000),
    at_once=st.booleans(),
)
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_life_told_in_any_order_ends_with_stripes_sums(sandbox, deeds, order, seed, at_once):
    with undone():
        shop, person, events = lived(sandbox, deeds)
        tell(shop, ordered(events, order, seed), at_once=at_once)
        assert balance_of(person) == balance(shop.stripe.records())
        assert stuck() == []


def ordered(events: list[Any], order: str, seed: int) -> list[Any]:
    if order == "reversed":
        return events[::-1]
    told = events * 2 if order == "shuffled and doubled" else list(events)
    if order != "in order":
        random.Random(seed).shuffle(told)
    return told


def tell(shop: Shop, events: list[Any], *, at_once: bool) -> None:
    """`at_once`: workers only come to it when everything is there."""
    for event in events:
        assert shop.post(event) == 200
        if not at_once:
            shop.work()
    shop.work()


FULL = [("buy", "pack-100"), ("subscribe", "pro-month"), ("refund", 2), ("dispute", "won"), ("buy", "pack-500")]


@pytest.mark.django_db
@pytest.mark.parametrize("missing", range(0, 12, 3))
def test_news_that_is_lost_changes_nothing_once_later_news_is_followed(shop, owner, missing):
    """A charge's or a session's other events lead to the same place."""
    shop.buy(owner, "pack-100")
    events = shop.new_events()
    del events[missing % len(events)]
    tell(shop, events, at_once=False)
    assert balance_of(owner) == 130


# ── Eight at a time


@pytest.fixture
def one_connection_a_request(monkeypatch):
    """A thread of the server that were kept alive would outlive the test, and hold its database connection."""
    monkeypatch.setattr(WSGIRequestHandler, "protocol_version", "HTTP/1.0")


@pytest.mark.django_db(transaction=True)
def test_each_event_eight_times_at_once_and_eight_workers_at_once(
    one_connection_a_request, live_server, sandbox, settings
):
    settings.PUBLIC_URL = live_server.url
    shop, person, events = lived(sandbox, FULL)
    for event in events:
        answers = shop.stripe.deliver([event["id"]], copies=8, parallel=True)
        assert [(answer["status"], answer.get("error")) for answer in answers] == [(200, None)] * 8
    assert MirroredEvent.objects.filter(id__in=[event["id"] for event in events]).count() == len(events)
    waiting = list(StripeSync.objects.values_list("pk", flat=True))
    for pk in waiting:
        assert in_parallel([partial(look_now, pk)] * 8) == [None] * 8
    assert balance_of(person) == balance(shop.stripe.records())
    assert stuck() == []


def look_now(pk: int) -> None:
    """As a worker that holds no lease would: several really do look at the same time."""
    row = StripeSync.objects.get(pk=pk)
    sync_queue.handlers.sync_object(sync_queue.SyncKind(row.kind), row.object_id)


# ── Dying anywhere


class Dead(BaseException):
    """Not an error that anybody handles: the process is gone."""


def dying_at(statement: int) -> Callable[..., Any]:
    """A database that dies with us at the n-th statement that writes; what the transaction had done is undone.

    Dying while something is read is no different from dying at the next write.
    """
    count = 0

    def execute(run: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        nonlocal count
        if not sql.startswith(("INSERT", "UPDATE", "DELETE")):
            return run(sql, parameters, many, context)
        count += 1
        if count == statement:
            raise Dead
        return run(sql, parameters, many, context)

    return execute


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["session", "charge", "invoice"])
def test_whoever_dies_at_any_statement_is_followed_by_somebody_who_ends_it(shop, owner, kind):
    shop.buy(owner, "pack-100")
    shop.buy(owner, "starter-month")
    for event in shop.new_events():
        shop.post(event)
    nudge = StripeSync.objects.filter(kind=kind).first()
    statement = 0
    while True:
        statement += 1
        with transaction.atomic():
            ended = died_and_rose(nudge.pk, statement)
            shop.work()
            assert balance_of(owner) == 300, f"died at statement {statement}"
            assert LedgerEntry.objects.filter(kind=EntryKind.GRANT).count() == 3
            transaction.set_rollback(True)
        if ended:
            break
    assert statement > 5


def died_and_rose(pk: int, statement: int) -> bool:
    """True when it was over before it came to that statement."""
    try:
        with connection.execute_wrapper(dying_at(statement)):
            sync_queue.run_sync(pk)
    except Dead:
        StripeSync.objects.filter(pk=pk).update(due_at=timezone.now())
        return False
    return True


# ── Handlers that fail


@pytest.mark.django_db
def test_a_handler_that_raises_leaves_nothing_behind_and_the_retry_works(shop, owner):
    shop.buy(owner, "pack-100")
    events = shop.new_events()
    with failing_notes():
        answers = {shop.post(event) for event in events}
    left = (MirroredEvent.objects.count(), StripeSync.objects.count(), Payment.objects.count())
    assert (answers, left, balance_of(owner)) == ({500}, (0, 0, 0), 30)
    shop.tell(events)
    assert balance_of(owner) == 130


@pytest.mark.django_db
def test_a_stripe_that_does_not_answer_is_asked_again(shop, owner, sandbox, monkeypatch):
    shop.buy(owner, "pack-100")
    for event in shop.new_events():
        shop.post(event)
    monkeypatch.setattr(stripe_client, "RETRIES", 0)
    stripe_client._client.cache_clear()
    sandbox.fault(path="/v1/*", times=len(due()), status=500)
    shop.work()
    silent = (balance_of(owner), {error.partition(":")[0] for _, error in stuck()})
    StripeSync.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    shop.work()
    assert (silent, balance_of(owner), stuck()) == ((30, {"provider_error"}), 130, [])
    stripe_client._client.cache_clear()


@pytest.mark.django_db
def test_what_changes_during_a_look_is_looked_at_again(shop, owner, monkeypatch):
    shop.buy(owner, "pack-100")
    shop.tell()
    row = sync_queue.request_sync(sync_queue.SyncKind.CHARGE, Payment.objects.get().stripe_charge_id)
    read = queries.charge

    def followed_by_events(charge_id: str) -> Any:
        facts = read(charge_id)
        sync_queue.request_sync(sync_queue.SyncKind.CHARGE, charge_id)
        return facts

    with monkeypatch.context() as busy:
        busy.setattr(queries, "charge", followed_by_events)
        assert sync_queue.run_sync(row.pk) is False
    row.refresh_from_db()
    assert (row.version, row.due_at is not None) == (3, True)
