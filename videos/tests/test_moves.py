"""A row and its event are written together, on PostgreSQL and SQLite alike."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections, models
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite
from django.utils import timezone

from genvid.leasing import from_now
from genvid.tests.asserts import statements_of
from videos.models.moves import update_with_event


class Parcel(models.Model):
    status = models.CharField(max_length=12)
    facts = models.JSONField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "moves_tests"

    def __str__(self) -> str:
        return self.status


class ParcelEvent(models.Model):
    parcel = models.ForeignKey(Parcel, on_delete=models.CASCADE)
    to_status = models.CharField(max_length=12)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "moves_tests"

    def __str__(self) -> str:
        return self.to_status


@pytest.fixture(params=["postgresql", "sqlite"])
def parcel(request: pytest.FixtureRequest, db: None) -> Iterator[Any]:
    """A parcel that waits, on each engine."""
    alias = "default" if request.param == connection.vendor else "sqlite"
    if alias == "sqlite":
        # Calls itself "default", for no other may be opened in a test.
        connections[alias] = Sqlite(connection.settings_dict | {"NAME": ":memory:", "OPTIONS": {}})
    with connections[alias].schema_editor() as editor:
        editor.create_model(Parcel)
        editor.create_model(ParcelEvent)
    yield Parcel.objects.using(alias).create(status="waits")
    if alias == "sqlite":
        connections[alias].close()
        del connections[alias]


def move(parcel: Any, source: str, to: str, **changes: Any) -> bool:
    rows = Parcel.objects.using(parcel._state.db).filter(pk=parcel.pk, status=source)
    event = ParcelEvent(parcel_id=parcel.pk, to_status=to)
    return update_with_event(rows, {"status": to, **changes}, event)


def events_of(parcel: Any) -> list[str]:
    events = ParcelEvent.objects.using(parcel._state.db).filter(parcel=parcel.pk).order_by("pk")
    return list(events.values_list("to_status", flat=True))


def test_a_move_changes_the_row_and_leaves_one_event(parcel):
    assert move(parcel, "waits", "sent", facts={"by": ["ship"]}, due_at=None)
    parcel.refresh_from_db()
    assert (parcel.status, parcel.facts, events_of(parcel)) == ("sent", {"by": ["ship"]}, ["sent"])


def test_of_two_moves_from_one_status_the_second_changes_nothing_and_leaves_no_event(parcel):
    assert move(parcel, "waits", "sent")
    assert not move(parcel, "waits", "lost")
    parcel.refresh_from_db()
    assert (parcel.status, events_of(parcel)) == ("sent", ["sent"])


def test_a_null_is_stored_as_null(parcel):
    assert move(parcel, "waits", "sent", facts=None)
    assert Parcel.objects.using(parcel._state.db).filter(facts__isnull=True).exists()


def test_a_moment_is_by_the_clock_of_the_database(parcel):
    assert move(parcel, "waits", "sent", due_at=from_now(-60))
    assert Parcel.objects.using(parcel._state.db).filter(due_at__lt=from_now(-59), due_at__gt=from_now(-90)).exists()


@pytest.mark.parametrize("parcel", ["postgresql"], indirect=True)
def test_a_move_is_one_statement_on_postgresql(parcel):
    texts = statements_of(lambda: move(parcel, "waits", "sent"))
    # A test's transaction gets a savepoint, which is none of ours.
    assert [text.split()[0] for text in texts if "SAVEPOINT" not in text] == ["WITH"]
