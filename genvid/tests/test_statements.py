"""Statements that Django's ORM lacks, on PostgreSQL and SQLite."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, models, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite
from django.db.models import F

from genvid.leasing import from_now
from genvid.statements import CompiledInsert, add_to_counters, insert_if_absent, insert_together, update_returning
from genvid.tests.asserts import queries_of
from genvid.tests.parallel import in_parallel

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Jar(models.Model):
    name = models.CharField(max_length=20)
    size = models.PositiveIntegerField(default=1)
    count = models.IntegerField(default=0)
    price = models.DecimalField(max_digits=6, decimal_places=2, default=Decimal("1.50"))
    label = models.CharField(max_length=20, null=True)  # noqa: DJ001 - a column that may be null is what is tested
    filled_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "statement_tests"
        constraints = [models.UniqueConstraint(fields=["name", "size"], name="jar_unique")]

    def __str__(self) -> str:
        return self.name


class Lid(models.Model):
    jar = models.ForeignKey(Jar, on_delete=models.CASCADE)
    colour = models.CharField(max_length=20, default="red")

    class Meta:
        app_label = "statement_tests"

    def __str__(self) -> str:
        return self.colour


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request: pytest.FixtureRequest, db: None) -> Iterator[str]:
    """The alias of a database with the tables of these tests."""
    if request.param == connection.vendor:
        with connection.schema_editor() as editor:
            editor.create_model(Jar)
            editor.create_model(Lid)
        yield "default"
        return
    # Calls itself "default", for no other may be opened in a test.
    sqlite = Sqlite(connection.settings_dict | {"NAME": ":memory:", "OPTIONS": {}})
    connections["sqlite"] = sqlite
    with sqlite.schema_editor() as editor:
        editor.create_model(Jar)
        editor.create_model(Lid)
    yield "sqlite"
    sqlite.close()
    del connections["sqlite"]


@pytest.fixture
def jars(database: str) -> models.QuerySet[Jar]:
    return Jar.objects.using(database)


def new(kind: Any, jars: models.QuerySet[Jar], **fields: Any) -> Any:
    row = kind(**fields)
    row._state.db = jars.db
    return row


# ── UPDATE … RETURNING


def test_updated_rows_are_returned_as_they_are_now(jars):
    jars.create(name="jam", count=5, filled_at=NOON)
    jars.create(name="tea", count=1)
    [row] = update_returning(jars.filter(count__gt=1), {"count": F("count") - 2}, read=["count", "price", "filled_at"])
    assert (row.count, row.price, row.filled_at) == (3, Decimal("1.50"), NOON)
    assert list(jars.order_by("name").values_list("name", "count")) == [("jam", 3), ("tea", 1)]


def test_nothing_is_returned_where_nothing_was_updated(jars):
    jars.create(name="jam")
    assert update_returning(jars.filter(name="tea"), {"count": 9}, read=["count"]) == []
    assert jars.get().count == 0


def test_a_column_that_was_not_read_is_read_on_access(jars):
    jars.create(name="jam")
    [row] = update_returning(jars, {"count": 9}, read=["count"])
    assert (row.name, row.get_deferred_fields()) == ("jam", {"size", "price", "label", "filled_at"})


# ── INSERT … ON CONFLICT DO NOTHING RETURNING


def test_an_absent_row_is_inserted_and_read_back(jars):
    jar = new(Jar, jars, name="jam", filled_at=from_now())
    assert insert_if_absent(jar, read=["filled_at"])
    assert (jars.get(), jars.get().filled_at, jars.get().name) == (jar, jar.filled_at, "jam")


def test_a_row_whose_place_is_taken_is_not_inserted(jars):
    there = jars.create(name="jam", count=5)
    jar = new(Jar, jars, name="jam", count=7)
    assert not insert_if_absent(jar)
    assert (jar.pk, list(jars.values_list("pk", "count"))) == (None, [(there.pk, 5)])


def test_a_refused_insert_does_not_break_the_transaction(jars):
    jars.create(name="jam")
    with transaction.atomic(using=jars.db):
        assert not insert_if_absent(new(Jar, jars, name="jam"))
        assert insert_if_absent(new(Jar, jars, name="tea"))
    assert jars.count() == 2


def jar_named(name: str, count: int) -> Jar:
    return Jar(name=name, count=count, filled_at=from_now())


def test_a_compiled_insert_inserts_new_values_each_time_unless_they_are_taken(jars):
    insert = CompiledInsert(Jar, jar_named, read=["count", "filled_at"], name=str, count=int)

    def inserted(name: str, count: int) -> list[Jar]:
        return insert.rows({"name": name, "count": count}, using=jars.db)

    [jam], taken, [tea] = inserted("jam", 5), inserted("jam", 7), inserted("tea", 9)
    assert ([jam.count, tea.count], taken) == ([5, 9], [])
    assert list(jars.order_by("name").values_list("pk", "name", "count", "filled_at")) == [
        (jam.pk, "jam", 5, jam.filled_at),
        (tea.pk, "tea", 9, tea.filled_at),
    ]


# ── Counters


def test_counters_are_made_or_added_to(jars):
    jars.create(name="jam", count=5)
    rows = [new(Jar, jars, name=name, count=count) for name, count in [("jam", 2), ("tea", 3)]]
    found = add_to_counters(rows, unique=["name", "size"], column="count")
    assert [(row.name, row.size, row.count) for row in found] == [("jam", 1, 7), ("tea", 1, 3)]
    assert list(jars.order_by("name").values_list("name", "count")) == [("jam", 7), ("tea", 3)]


@pytest.mark.django_db(transaction=True)
def test_a_counter_is_added_to_by_many_at_once():
    with connection.schema_editor() as editor:
        editor.create_model(Jar)
    try:
        add = partial(add_to_counters, unique=["name", "size"], column="count")
        found = in_parallel([lambda: add([Jar(name="jam", count=1)])[0].count] * 8)
        assert sorted(found) == [1, 2, 3, 4, 5, 6, 7, 8]
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Jar)


# ── Rows of several models


def together(jars: models.QuerySet[Jar], **fields: Any) -> list[models.Model]:
    lids = [new(Lid, jars, jar_id=7, colour=colour) for colour in ("blue", "green")]
    jar = new(Jar, jars, name="jam", count=4, **fields)
    jar.pk = 7
    return [jar, *lids]


def test_rows_of_several_models_are_inserted_together(jars):
    insert_together(together(jars, filled_at=NOON))
    assert list(jars.values_list("name", "count", "price", "label", "filled_at")) == [
        ("jam", 4, Decimal("1.50"), None, NOON)
    ]
    lids = Lid.objects.using(jars.db).order_by("id")
    assert list(lids.values_list("jar", "colour")) == [(7, "blue"), (7, "green")]


def test_rows_of_several_models_take_one_statement_on_postgresql(db):
    with connection.schema_editor() as editor:
        editor.create_model(Jar)
        editor.create_model(Lid)
    assert queries_of(lambda: insert_together(together(Jar.objects.using("default")))) == 1


def test_values_that_the_database_computes_are_inserted(jars):
    insert_together(together(jars, filled_at=from_now()))
    assert abs((jars.get().filled_at - datetime.now(UTC)).total_seconds()) < 60


def test_none_of_the_rows_is_inserted_where_one_is_refused(jars):
    jars.create(name="jam")
    with pytest.raises(IntegrityError), transaction.atomic(using=jars.db):
        insert_together(reversed(together(jars)))
    assert (jars.count(), Lid.objects.using(jars.db).count()) == (1, 0)


def test_a_refused_statement_ends_the_transaction(jars):
    jars.create(name="jam")
    with transaction.atomic(using=jars.db):
        with pytest.raises(IntegrityError):
            insert_together(together(jars))
        with pytest.raises(DatabaseError):
            jars.count()
        transaction.set_rollback(True, using=jars.db)


def test_empty_values_are_inserted_as_such(jars):
    jar = new(Jar, jars, name="", size=0, count=0, label=None)
    insert_together([jar, new(Jar, jars, name="jam", size=0, count=0, label="")])
    found = jars.order_by("name").values_list("name", "size", "count", "label", "filled_at")
    assert list(found) == [("", 0, 0, None, None), ("jam", 0, 0, "", None)]
