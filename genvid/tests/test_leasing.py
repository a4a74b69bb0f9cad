"""Leased rows on PostgreSQL and SQLite: claimed by one worker, tried again later, found by the sweep."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, connections, models
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite
from django.db.models import F
from django.db.models.functions import Now

from accounts.models import Export
from genvid.jobs import backlog, enqueue
from genvid.leasing import Backoff, Leased, LeasedQuerySet, from_now, sweep
from genvid.mail.jobs import SEND
from genvid.tests.parallel import in_parallel

LEASE = timedelta(minutes=5)


class Work(Leased):
    """Counts failed attempts, like a video."""

    due_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    waiting_reason = models.CharField(max_length=20)
    result = models.CharField(max_length=20)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        app_label = "leasing_tests"

    def __str__(self) -> str:
        return self.result


class Order(Leased):
    """Has other column names, counts claims, and is held by a column of its own."""

    DUE, ATTEMPTS, ERROR, COUNTS_CLAIMS, HELD_BY = "next_at", "calls", "error", True, ("calls",)

    next_at = models.DateTimeField(null=True)
    calls = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=20)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        app_label = "leasing_tests"

    def __str__(self) -> str:
        return self.error


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request: pytest.FixtureRequest, db: None) -> Iterator[str]:
    """The alias of a database with the tables of these tests."""
    if request.param == connection.vendor:
        with connection.schema_editor() as editor:
            editor.create_model(Work)
            editor.create_model(Order)
        yield "default"
        return
    # Calls itself "default", for no other may be opened in a test.
    sqlite = Sqlite(connection.settings_dict | {"NAME": ":memory:", "OPTIONS": {}})
    connections["sqlite"] = sqlite
    with sqlite.schema_editor() as editor:
        editor.create_model(Work)
        editor.create_model(Order)
    yield "sqlite"
    sqlite.close()
    del connections["sqlite"]


def make_work(database: str, span: timedelta | float = 0.0, **fields: Any) -> Work:
    return Work.objects.using(database).get(
        pk=Work.objects.using(database).create(due_at=from_now(span), **fields).pk,
    )


def same_row(row: Leased) -> Any:
    """As another worker reads it."""
    return type(row).objects.using(row._state.db).get(pk=row.pk)


def seconds_until_due(row: Leased) -> float:
    rows = type(row).objects.using(row._state.db).annotate(now=Now())
    found = rows.get(pk=row.pk)
    return (getattr(found, row.DUE) - found.now).total_seconds()


# ── Claiming


def test_a_row_that_is_due_is_claimed_until_its_lease_ends(database):
    work = make_work(database)
    assert work.claim(LEASE)
    assert 240 < seconds_until_due(work) <= 300


def test_of_two_workers_that_read_a_row_at_once_one_claims_it(database):
    first = make_work(database)
    second = same_row(first)
    assert [first.claim(LEASE), second.claim(LEASE)] == [True, False]


def test_of_two_workers_that_claim_the_rows_that_are_due_one_gets_the_only_one(database):
    work = make_work(database)
    rows = Work.objects.using(database)
    assert [rows.claim(LEASE), rows.claim(LEASE)] == [work, None]


def test_the_longest_due_is_claimed_first(database):
    late, later = make_work(database, -10), make_work(database, -20)
    rows = Work.objects.using(database)
    assert [rows.claim(LEASE), rows.claim(LEASE)] == [later, late]


@pytest.mark.parametrize("due_at", [from_now(60), None], ids=["later", "never"])
def test_a_row_that_is_not_due_is_not_claimed(database, due_at):
    work = make_work(database)
    Work.objects.using(database).update(due_at=due_at)
    assert (work.claim(LEASE), Work.objects.using(database).claim(LEASE)) == (False, None)


def test_a_claim_writes_further_changes(database):
    work = make_work(database)
    assert work.claim(LEASE, result=F("waiting_reason"), tries=7)
    assert (work.result, work.tries, same_row(work).tries) == ("", 7, 7)


def test_a_lease_that_has_run_out_is_claimed_by_the_next_worker(database):
    dead = make_work(database)
    assert dead.claim(-1)
    assert same_row(dead).claim(LEASE)


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_claim_in_parallel_one_wins(owner):
    export = Export.objects.create(user=owner.user, due_at=from_now())

    def claim() -> Any:
        return Export.objects.filter(pk=export.pk).claim(LEASE)

    claimed = in_parallel([claim] * 8)
    assert (claimed.count(export), claimed.count(None)) == (1, 7)


# ── Holding


@pytest.mark.parametrize(
    "step",
    [
        lambda work: work.extend(LEASE),
        lambda work: work.retry_later(60, "late"),
        lambda work: work.advance(from_now(), result="late"),
        lambda work: work.finish(result="late"),
        lambda work: work.give_up("late"),
    ],
    ids=["extend", "retry_later", "advance", "finish", "give_up"],
)
def test_whoever_has_lost_the_lease_writes_nothing(database, step):
    loser = make_work(database)
    assert loser.claim(-1)
    winner = same_row(loser)
    assert winner.claim(LEASE)
    before = Work.objects.using(database).values().get()
    assert not step(loser)
    assert Work.objects.using(database).values().get() == before
    assert step(winner)


def test_a_lease_is_extended_as_often_as_its_worker_likes(database):
    work = make_work(database)
    assert [work.claim(1), work.extend(2), work.extend(LEASE)] == [True, True, True]
    assert 240 < seconds_until_due(work) <= 300


def test_an_attempt_that_failed_is_counted_and_due_again_later(database):
    work = make_work(database)
    work.claim(LEASE)
    assert work.retry_later(60, "a reason that is longer than its column")
    assert (work.tries, work.waiting_reason) == (1, "a reason that is lon")
    assert 0 < seconds_until_due(work) <= 60


def test_a_step_that_is_done_leaves_the_next_one_with_attempts_of_its_own(database):
    work, then = make_work(database, tries=3, waiting_reason="why"), datetime(2040, 1, 1, tzinfo=UTC)
    work.claim(LEASE)
    assert work.advance(then, result="half")
    found = same_row(work)
    assert (found.due_at, found.tries, found.waiting_reason, found.result) == (then, 0, "", "half")


def test_a_finished_row_is_never_due_again(database):
    work = make_work(database, tries=3, waiting_reason="why")
    work.claim(LEASE)
    assert work.finish(result="whole")
    found = same_row(work)
    assert (found.due_at, found.tries, found.waiting_reason, found.result) == (None, 3, "", "whole")


def test_a_row_that_is_given_up_is_never_due_again_and_has_the_error(database):
    work = make_work(database)
    work.claim(LEASE)
    assert work.give_up("hopeless")
    assert (same_row(work).due_at, same_row(work).waiting_reason) == (None, "hopeless")


def test_a_claim_is_read_back_before_anybody_else_can_claim_the_row(database):
    work = make_work(database)
    work.claim(LEASE)
    Work.objects.using(database).update(due_at=from_now(-1))
    assert same_row(work).claim(LEASE)
    assert not work.finish()


def test_columns_of_other_names_are_leased_alike(database):
    rows = Order.objects.using(database)
    rows.create(next_at=from_now())
    order = rows.claim(LEASE)
    assert (order.calls, rows.claim(LEASE)) == (1, None)
    assert order.retry_later(-1, "busy")
    again = rows.claim(LEASE)
    assert (order.finish(), again.calls, again.error, again.finish()) == (False, 2, "busy", True)


# ── The clock


@pytest.mark.parametrize("skew", [timedelta(days=-2), timedelta(days=2)], ids=["slow", "fast"])
def test_a_worker_whose_clock_is_wrong_claims_nothing_that_is_leased_and_leases_no_longer_than_others(database, skew):
    leased, due = make_work(database, LEASE), make_work(database)
    with time_machine.travel(datetime.now(UTC) + skew):
        assert [leased.claim(LEASE), due.claim(LEASE)] == [False, True]
        assert due.retry_later(60, "busy")
    assert 0 < seconds_until_due(due) <= 60


# ── Pauses


def test_pauses_double_up_to_the_longest():
    backoff = Backoff(5, most=900)
    assert [backoff.delay(attempt).total_seconds() for attempt in (1, 2, 3, 8, 9, 5000)] == [5, 10, 20, 640, 900, 900]


def test_pauses_grow_by_their_factor():
    assert [Backoff(1, most=50, factor=3).delay(attempt).total_seconds() for attempt in (1, 2, 3, 4, 5)] == [
        1,
        3,
        9,
        27,
        50,
    ]


def test_a_pause_is_at_least_as_long_as_the_other_side_asks_for():
    backoff = Backoff(5, most=10)
    assert [backoff.delay(1, at_least=wait).total_seconds() for wait in (1, 60)] == [5, 60]


def test_a_jittered_pause_is_longer_by_up_to_its_share_and_never_shorter():
    pauses = {Backoff(100, most=100, jitter=0.1).delay(1).total_seconds() for _ in range(200)}
    assert 100 <= min(pauses) < max(pauses) <= 110


# ── The sweep


def test_the_sweep_enqueues_what_is_due_the_longest_due_first(database, woken):
    late, later = make_work(database, -10), make_work(database, -20)
    make_work(database, 60)
    assert sweep(Work.objects.using(database).due(), SEND, most=10) == 2
    assert woken == [(SEND.name, str(later.pk)), (SEND.name, str(late.pk))]


def test_the_sweep_enqueues_no_more_than_its_bound(database, woken):
    for _ in range(4):
        make_work(database)
    assert sweep(Work.objects.using(database).due(), SEND, most=3) == len(woken) == 3


@pytest.mark.parametrize(("waiting", "swept"), [(1, 2), (3, 0), (5, 0)])
def test_what_waits_in_the_queue_counts_towards_the_bound_of_the_sweep(database, woken, waiting, swept):
    most = backlog(SEND) + 3
    for number in range(waiting):
        enqueue(SEND, str(number))
    woken.clear()
    for _ in range(4):
        make_work(database)
    assert sweep(Work.objects.using(database).due(), SEND, most=most) == len(woken) == swept
