"""Updates that are compiled once, on PostgreSQL and SQLite."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite
from django.db.models import F

from accounts.models import Account, EventCounter
from genvid.compiled_writes import CompiledUpdate

COUNTERS = EventCounter.objects.order_by("object_id")


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request: pytest.FixtureRequest, db: None) -> Iterator[str]:
    """The alias of a database with counters of two accounts."""
    if request.param == connection.vendor:
        yield "default"
        return
    # Calls itself "default", for no other may be opened in a test.
    sqlite = Sqlite(connection.settings_dict | {"NAME": ":memory:", "OPTIONS": {}})
    connections["sqlite"] = sqlite
    with sqlite.constraint_checks_disabled(), sqlite.schema_editor() as editor:
        editor.create_model(Account)
        editor.create_model(EventCounter)
    yield "sqlite"
    sqlite.close()
    del connections["sqlite"]


@pytest.fixture
def accounts(database: str) -> list[UUID]:
    made = [Account.objects.using(database).create(name=name).pk for name in ("a", "b")]
    for number, pk in enumerate(made):
        EventCounter.objects.using(database).create(account_id=pk, object_id=f"video {number}", last=number)
    return made


def counting(account_id: UUID, step: int):
    return EventCounter.objects.filter(account=account_id, last__lt=step), {"last": F("last") + step}


def test_a_compiled_update_changes_and_returns_rows_with_new_values_each_time(database, accounts):
    update = CompiledUpdate(EventCounter, counting, read=["last"], account_id=UUID, step=int)

    def last_after(account_id: UUID, step: int) -> list[int]:
        return [row.last for row in update.rows({"account_id": account_id, "step": step}, using=database)]

    found = [last_after(accounts[0], 5), last_after(accounts[1], 7), last_after(accounts[0], 3)]
    assert found == [[5], [8], []]
    assert list(COUNTERS.using(database).values_list("last", flat=True)) == [5, 8]


def test_a_column_that_a_compiled_update_did_not_read_is_read_on_access(database, accounts):
    update = CompiledUpdate(EventCounter, counting, read=["last"], account_id=UUID, step=int)
    [row] = update.rows({"account_id": accounts[0], "step": 5}, using=database)
    assert (row.get_deferred_fields(), row.object_id) == ({"account_id", "object_id"}, "video 0")


def named(account_id: UUID, name: str, since: datetime):
    return Account.objects.filter(pk=account_id, created_at=since), {"name": name}


def test_texts_and_moments_are_values_of_a_compiled_update(database, accounts):
    rename = CompiledUpdate(Account, named, read=["name"], account_id=UUID, name=str, since=datetime)
    account = Account.objects.using(database).get(pk=accounts[0])
    values = {"account_id": account.pk, "name": "100 %s", "since": account.created_at}
    found = [row.name for row in rename.rows(values, using=database)]
    late = rename.rows(values | {"since": account.created_at + timedelta(microseconds=1)}, using=database)
    assert (found, late, Account.objects.using(database).get(pk=account.pk).name) == (["100 %s"], [], "100 %s")
