"""Columns that Python fills in have a default in the database, for code that does not know them."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import Field, Model
from django.db.utils import NotSupportedError
from pytest_django import Settings

from genvid import settings as written
from genvid.database_defaults import SetDatabaseDefaults
from genvid.tests.factories import Person
from videos.models import Batch

OURS = ("accounts", "avatars", "billing", "videos", "mail")
OF_DJANGO = {
    "accounts.User.is_superuser": "Django's own field; every release sends it",
    "accounts.WebhookEndpoint.updated_at": "Django sends it by itself (auto_now), since the table was made",
}


@pytest.fixture
def loader(settings: Settings) -> MigrationLoader:
    """The tests themselves run without migrations."""
    settings.MIGRATION_MODULES = written.MIGRATION_MODULES
    return MigrationLoader(None)


def our_models() -> list[type[Model]]:
    return [model for app in OURS for model in apps.get_app_config(app).get_models(include_auto_created=True)]


def lacks_default(field: Any) -> bool:
    return not (field.null or field.primary_key or field.has_db_default())


def may_be_unsent(field: Any) -> bool:
    """Whether Python fills it in, so that code may do without it."""
    return field.has_default() or (field.blank and field.empty_strings_allowed) or getattr(field, "auto_now", False)


def label(field: "Field[Any, Any]") -> str:
    return f"{field.model._meta.label}.{field.name}"


def test_every_column_that_python_fills_in_has_a_default_in_the_database():
    fields = [field for model in our_models() for field in model._meta.local_concrete_fields]
    assert {label(each) for each in fields if lacks_default(each) and may_be_unsent(each)} == set(OF_DJANGO)


@pytest.mark.django_db
def test_the_database_fills_in_what_an_insert_leaves_out(owner: Person) -> None:
    columns, values = "id, account_id, script, total, open, credits_quoted", "gen_random_uuid(), %s, 'Hi', 1, 1, 1"
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO videos_batch ({columns}) VALUES ({values})", [owner.account.pk])  # noqa: S608 - our own words
        cursor.execute("SELECT now()")
        (now,) = cursor.fetchone()
    row = Batch.objects.get()
    assert (row.title, row.template, row.columns, row.is_test) == ("", {}, [], False)
    assert row.created_at >= now


def test_an_insert_asks_for_no_column_that_it_sends():
    returned = [field for model in our_models() for field in model._meta.db_returning_fields]  # type: ignore[attr-defined]
    assert [label(each) for each in returned if each.has_default()] == []
    assert "mail.QueuedMail.due_at" in {label(each) for each in returned}


def change(loader: MigrationLoader) -> tuple[SetDatabaseDefaults, ProjectState, ProjectState]:
    """Of the mail outbox, with the states before and after it."""
    node = ("mail", "0003_database_defaults")
    (operation,) = loader.disk_migrations[node].operations
    return operation, loader.project_state(node, at_end=False), loader.project_state(node)


def defaults_of(table: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, column_default FROM information_schema.columns "
            "WHERE table_name = %s AND column_default IS NOT NULL AND is_nullable = 'NO'",
            [table],
        )
        return dict(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_defaults_are_set_and_dropped_again(loader):
    operation, before, after = change(loader)
    ours = defaults_of("mail_queuedmail")
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("mail", editor, after, before)
    former = defaults_of("mail_queuedmail")
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("mail", editor, before, after)
    assert (set(ours) - set(former), defaults_of("mail_queuedmail")) == ({"address", "data", "attempts", "error"}, ours)


@pytest.mark.django_db
def test_defaults_in_a_transaction_are_refused(loader):
    operation, before, after = change(loader)
    with pytest.raises(NotSupportedError, match="Set `atomic = False` on the migration"):
        operation.database_forwards("mail", connection.schema_editor(), before, after)
