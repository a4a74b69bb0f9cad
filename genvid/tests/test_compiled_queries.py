"""Compiled queries on PostgreSQL and SQLite, and the statements that PostgreSQL prepares for them."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, NotSupportedError, connection, connections, models, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite
from encrypted_fields.fields import EncryptedTextField

from genvid.compiled_queries import CompiledQuery
from genvid.tests.asserts import queries_of

MOMENT = datetime(2026, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC)
ID = uuid.UUID("7f2c5f0e-8f0a-4f5e-9d6b-0c1d2e3f4a5b")


class Thing(models.Model):  # noqa: DJ008 - nobody reads it
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=20)
    made_at = models.DateTimeField(default=MOMENT)
    facts = models.JSONField(null=True)
    size = models.BigIntegerField(default=3)
    share = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal("0.50"))
    secret = EncryptedTextField(null=True)

    class Meta:
        app_label = "compiled_query_tests"


def things(database: str, *columns: str) -> Callable[..., Any]:
    def build(name: Any, since: Any) -> Any:
        found = Thing.objects.using(database).filter(name=name, made_at__gte=since, share__gt=0)
        return found.order_by("name").values_list(*columns)

    return build


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request: pytest.FixtureRequest, db: None) -> Iterator[str]:
    if request.param == connection.vendor:
        with connection.schema_editor() as editor:
            editor.create_model(Thing)
        yield "default"
        return
    # Calls itself "default", for no other may be opened in a test.
    sqlite = Sqlite(connection.settings_dict | {"NAME": ":memory:", "OPTIONS": {}})
    connections["sqlite"] = sqlite
    with sqlite.schema_editor() as editor:
        editor.create_model(Thing)
    yield "sqlite"
    sqlite.close()
    del connections["sqlite"]


FACTS = [None, {}, [1, 2.5, None, True, "ü"], {"a": {"b": []}}, "text"]


@pytest.mark.parametrize("facts", FACTS, ids=str)
def test_a_compiled_query_gives_the_rows_of_its_queryset(database, facts):
    thing = Thing(id=ID, name="wanted", facts=facts)
    Thing.objects.using(database).bulk_create([thing, Thing(name="other"), Thing(name="old", made_at=MOMENT)])
    build = things(database, "id", "name", "made_at", "facts", "share")
    found = CompiledQuery(build).rows(name="wanted", since=MOMENT)
    assert found == list(build("wanted", MOMENT)) == [(ID, "wanted", MOMENT, facts, thing.share)]


def test_a_compiled_query_takes_new_arguments_each_time(database):
    Thing.objects.using(database).bulk_create([Thing(name="a"), Thing(name="b")])
    query = CompiledQuery(things(database, "name"))
    assert [query.rows(name=name, since=MOMENT) for name in "abc"] == [[("a",)], [("b",)], []]


@pytest.mark.parametrize("name", ["100%", "%s", "%%s", "it's", "a\\b"])
def test_a_constant_of_a_compiled_query_may_hold_any_character(database, name):
    def build(since: Any) -> Any:
        found = Thing.objects.using(database).filter(name=name, made_at__gte=since, name__contains=name)
        return found.values_list("name", "share")

    Thing.objects.using(database).bulk_create([Thing(name=name), Thing(name="other")])
    assert CompiledQuery(build).rows(since=MOMENT) == [(name, Decimal("0.50"))]


# ── PostgreSQL alone


@pytest.fixture
def table(db: None) -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Thing)
    Thing.objects.create(name="a")


NAMES = CompiledQuery(things("default", "name"))


def ask(query: CompiledQuery = NAMES) -> list[Any]:
    return query.rows(name="a", since=MOMENT)


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


@pytest.fixture
def new_connection() -> Iterator[None]:
    """Without statements that other tests had prepared."""
    connection.close()
    yield
    connection.close()


def test_a_statement_is_prepared_when_it_is_sent_for_the_second_time(new_connection, table):
    ask()
    assert prepared() == []
    ask()
    (statement,) = prepared()
    assert statement.startswith('SELECT "compiled_query_tests_thing"."name"')
    assert [ask(), prepared()] == [[("a",)], [statement]]


def test_no_statement_is_prepared_where_that_is_switched_off(new_connection, table, monkeypatch):
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "prepare_threshold", None)
    assert [ask() for _ in range(3)] == [[("a",)]] * 3
    assert prepared() == []


def test_a_prepared_statement_keeps_one_plan_for_all_arguments(new_connection, table):
    for _ in range(3):
        ask()
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans, custom_plans FROM pg_prepared_statements")
        assert cursor.fetchall() == [(2, 0)]


def test_other_statements_are_not_prepared(new_connection, table):
    for _ in range(3):
        assert Thing.objects.count() == 1
    assert prepared() == []
    assert connection.connection.prepare_threshold is None


def test_a_prepared_statement_is_seen_by_those_who_watch_statements(table):
    seen = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        assert queries_of(lambda: [ask() for _ in range(3)]) == 3
    assert len(seen) == 3


def test_a_column_that_django_decrypts_is_refused(table):
    with pytest.raises(TypeError, match="secret"):
        ask(CompiledQuery(things("default", "name", "secret")))


def of_others(figure: Any) -> CompiledQuery:
    """`figure`: of all things, beside each."""

    def build(name: Any, since: Any) -> Any:
        found = Thing.objects.filter(name=name, made_at__gte=since)
        return found.annotate(figure=models.Subquery(figure)).values_list("name", "figure")

    return CompiledQuery(build)


def test_a_subquery_of_an_integer_column_is_read_as_it_is(table):
    assert ask(of_others(Thing.objects.filter(name="a").values("size"))) == [("a", 3)]


def test_a_subquery_of_a_computed_number_is_refused_since_the_server_sends_another_type(table):
    total = Thing.objects.order_by().values("name").annotate(total=models.Sum("size")).values("total")
    with pytest.raises(TypeError, match="Subquery"):
        ask(of_others(total))


@pytest.fixture
def committed_table(transactional_db: None) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(Thing)
    Thing.objects.create(name="a")
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Thing)


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


WIDEN = "ALTER TABLE compiled_query_tests_thing ALTER COLUMN name TYPE varchar(40)"


@pytest.mark.parametrize("change", [WIDEN, "DEALLOCATE ALL"])
def test_a_statement_that_the_server_can_no_longer_run_is_sent_anew(committed_table, change):
    assert [ask() for _ in range(3)] == [[("a",)]] * 3
    execute(change)
    assert [ask() for _ in range(3)] == [[("a",)]] * 3
    assert len(prepared()) == 1


def test_a_statement_that_fails_in_a_transaction_is_sent_anew_after_it(committed_table):
    assert [ask() for _ in range(3)] == [[("a",)]] * 3
    execute(WIDEN)
    with pytest.raises(NotSupportedError), transaction.atomic():
        ask()
    assert ask() == [("a",)]


def test_a_compiled_query_works_after_a_transaction_that_was_rolled_back(committed_table):
    with pytest.raises(DatabaseError), transaction.atomic():
        assert [ask(), ask()] == [[("a",)]] * 2
        execute("SELECT 1/0")
    assert [ask() for _ in range(3)] == [[("a",)]] * 3
