"""Stripe's events in any order and number, with crashes at any statement: the ledger equals Stripe's lists."""

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
from billing.tests.shop import Shop, balance_of, due_syncs, failed_syncs
from billing.tests.stripe_events import failing_sync_requests
from billing.tests.stripe_model import expected_balance
from genvid.tests.factories import Person, make_caller
from genvid.tests.parallel import in_parallel
from genvid.tests.properties import HealthCheck, given, settings, st

SHARE = st.integers(min_value=1, max_value=4)
ACT = st.one_of(
    st.tuples(st.just("buy"), st.sampled_from(["pack-100", "pack-500"])),
    st.tuples(st.just("subscribe"), st.sampled_from(["starter-month", "pro-month"])),
    st.tuples(st.just("renew"), st.booleans()),
    st.tuples(st.just("refund"), SHARE),
    st.tuples(st.just("fail_refund"), SHARE),
    st.tuples(st.just("dispute"), st.sampled_from(["open", "won", "lost", "warning"])),
)


class Life:
    """Acts of a buyer and their bank at Stripe, without delivering events."""

    def __init__(self, shop: Shop, person: Person) -> None:
        self.shop, self.person = shop, person
        self.subscription = ""

    def do(self, act: str, how: Any) -> None:
        getattr(self, act)(how)

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
        """A charge without refunds and disputes."""
        lists = self.shop.stripe.records()
        touched = {each["charge"] for each in (*lists["refunds"], *lists["disputes"])}
        free = [charge for charge in lists["charges"] if charge["id"] not in touched and charge["paid"]]
        return free[0] if free else None


@contextmanager
def rolled_back() -> Iterator[None]:
    """Each example starts with an empty database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def perform(sandbox: Any, acts: list[tuple[str, Any]]) -> tuple[Shop, Person, list[Any]]:
    """Returns the shop, its buyer and the undelivered events of the acts."""
    sandbox.reset()
    shop, person = Shop(sandbox), make_caller()
    life = Life(shop, person)
    for act in acts:
        life.do(*act)
    return shop, person, shop.new_events()


@pytest.mark.django_db
@given(
    acts=st.lists(ACT, min_size=2, max_size=7),
    order=st.sampled_from(["in order", "reversed", "shuffled", "shuffled and doubled"]),
    seed=st.integers(0, 1000),
    at_once=st.booleans(),
)
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_events_in_any_order_give_the_credits_of_stripes_lists(sandbox, acts, order, seed, at_once):
    with rolled_back():
        shop, person, events = perform(sandbox, acts)
        deliver(shop, ordered(events, order, seed), at_once=at_once)
        assert balance_of(person) == expected_balance(shop.stripe.records())
        assert failed_syncs() == []


def ordered(events: list[Any], order: str, seed: int) -> list[Any]:
    if order == "reversed":
        return events[::-1]
    chosen = events * 2 if order == "shuffled and doubled" else list(events)
    if order != "in order":
        random.Random(seed).shuffle(chosen)
    return chosen


def deliver(shop: Shop, events: list[Any], *, at_once: bool) -> None:
    """`at_once`: workers run after the last event only."""
    for event in events:
        assert shop.post(event) == 200
        if not at_once:
            shop.run_due_syncs()
    shop.run_due_syncs()


FULL = [("buy", "pack-100"), ("subscribe", "pro-month"), ("refund", 2), ("dispute", "won"), ("buy", "pack-500")]


@pytest.mark.django_db
@pytest.mark.parametrize("missing", range(0, 12, 3))
def test_a_lost_event_changes_nothing_once_a_later_event_is_processed(shop, owner, missing):
    """Other events of the charge or session request the sync too."""
    shop.buy(owner, "pack-100")
    events = shop.new_events()
    del events[missing % len(events)]
    deliver(shop, events, at_once=False)
    assert balance_of(owner) == 130


# ── Parallel deliveries and workers


@pytest.fixture
def one_connection_a_request(monkeypatch):
    """A kept-alive server thread would outlive the test and hold its database connection."""
    monkeypatch.setattr(WSGIRequestHandler, "protocol_version", "HTTP/1.0")


@pytest.mark.django_db(transaction=True)
def test_parallel_deliveries_and_workers_record_each_event_once(
    one_connection_a_request, live_server, sandbox, settings
):
    settings.PUBLIC_URL = live_server.url
    shop, person, events = perform(sandbox, FULL)
    sandbox.configure(webhook_timeout=600)
    for event in events:
        answers = shop.stripe.deliver([event["id"]], copies=8, parallel=True)
        assert [(answer["status"], answer.get("error")) for answer in answers] == [(200, None)] * 8
    assert MirroredEvent.objects.filter(id__in=[event["id"] for event in events]).count() == len(events)
    waiting = list(StripeSync.objects.values_list("pk", flat=True))
    for pk in waiting:
        assert in_parallel([partial(sync_without_lease, pk)] * 8) == [None] * 8
    assert balance_of(person) == expected_balance(shop.stripe.records())
    assert failed_syncs() == []


def sync_without_lease(pk: int) -> None:
    """Several workers sync one object at the same time."""
    row = StripeSync.objects.get(pk=pk)
    sync_queue.handlers.sync_object(sync_queue.SyncKind(row.kind), row.object_id)


# ── Crashes at any statement


class Crash(BaseException):
    """Passes every `except Exception`, as the end of a process does."""


def crash_at(statement: int) -> Callable[..., Any]:
    """Crashes at the n-th statement that writes; a crash at a read equals one at the next write."""
    count = 0

    def execute(run: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        nonlocal count
        if not sql.startswith(("INSERT", "UPDATE", "DELETE")):
            return run(sql, parameters, many, context)
        count += 1
        if count == statement:
            raise Crash
        return run(sql, parameters, many, context)

    return execute


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["session", "charge", "invoice"])
def test_a_sync_that_dies_at_any_statement_is_completed_by_another_worker(shop, owner, kind):
    shop.buy(owner, "pack-100")
    shop.buy(owner, "starter-month")
    for event in shop.new_events():
        shop.post(event)
    sync = StripeSync.objects.filter(kind=kind).first()
    statement = 0
    while True:
        statement += 1
        with transaction.atomic():
            ended = completes_before(sync.pk, statement)
            shop.run_due_syncs()
            assert balance_of(owner) == 300, f"crashed at statement {statement}"
            assert LedgerEntry.objects.filter(kind=EntryKind.GRANT).count() == 3
            transaction.set_rollback(True)
        if ended:
            break
    assert statement > 5


def completes_before(pk: int, statement: int) -> bool:
    """False after a crash at that statement; the sync is due again then."""
    try:
        with connection.execute_wrapper(crash_at(statement)):
            sync_queue.run_sync(pk)
    except Crash:
        # The statement never ran, so the connection is sound outside the blocks that were rolled back.
        transaction.set_rollback(False)
        StripeSync.objects.filter(pk=pk).update(due_at=timezone.now())
        return False
    return True


# ── Failures


@pytest.mark.django_db
def test_a_receiver_that_raises_stores_nothing_and_the_retry_works(shop, owner):
    shop.buy(owner, "pack-100")
    events = shop.new_events()
    with failing_sync_requests():
        answers = {shop.post(event) for event in events}
    left = (MirroredEvent.objects.count(), StripeSync.objects.count(), Payment.objects.count())
    assert (answers, left, balance_of(owner)) == ({500}, (0, 0, 0), 30)
    shop.deliver_events(events)
    assert balance_of(owner) == 130


@pytest.mark.django_db
def test_a_sync_is_retried_when_stripe_does_not_answer(shop, owner, sandbox, monkeypatch):
    shop.buy(owner, "pack-100")
    for event in shop.new_events():
        shop.post(event)
    monkeypatch.setattr(stripe_client, "RETRIES", 0)
    stripe_client._client.cache_clear()
    sandbox.fault(path="/v1/*", times=len(due_syncs()), status=500)
    shop.run_due_syncs()
    silent = (balance_of(owner), {error.partition(":")[0] for _, error in failed_syncs()})
    StripeSync.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    shop.run_due_syncs()
    assert (silent, balance_of(owner), failed_syncs()) == ((30, {"provider_error"}), 130, [])
    stripe_client._client.cache_clear()


@pytest.mark.django_db
def test_an_object_that_changes_during_a_sync_is_synced_again(shop, owner, monkeypatch):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
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
