"""`ChangeIndexes` on PostgreSQL: the migrations that use it, back and forth."""

import pytest
from django.db import connection, transaction
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.utils import NotSupportedError
from pytest_django import Settings

from genvid import settings as written
from genvid.index_changes import ChangeIndexes
from genvid.tests.query_plans import indexes_of

TABLES = {
    "accounts": ("accounts_idempotencyrecord", "accounts_outgoingevent", "accounts_delivery"),
    "billing": ("billing_creditlot", "billing_hold", "billing_ledgerentry"),
    "videos": ("videos_batch", "videos_video", "videos_videoevent", "videos_webhookdelivery"),
}


@pytest.fixture
def loader(settings: Settings) -> MigrationLoader:
    """The tests themselves run without migrations."""
    settings.MIGRATION_MODULES = written.MIGRATION_MODULES
    return MigrationLoader(None)


def changing(loader: MigrationLoader, app: str) -> tuple[Migration, ProjectState]:
    """The app's migration `…_indexes` (`0010_indexes` of videos), and the state before it."""
    (found,) = (
        (migration, loader.project_state(node, at_end=False))
        for node, migration in loader.disk_migrations.items()
        if node[0] == app and node[1][5:] == "indexes" and _changes_indexes(migration)
    )
    return found


def _changes_indexes(migration: Migration) -> bool:
    return any(isinstance(each, ChangeIndexes) for each in migration.operations)


def definitions(app: str) -> dict[str, str]:
    return {name: text for table in TABLES[app] for name, text in indexes_of(table).items()}


def options(table: str) -> list[str] | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = %s", [table])
        (found,) = cursor.fetchone()
    return found


def unapply(migration: Migration, before: ProjectState) -> None:
    with connection.schema_editor(atomic=False) as editor:
        migration.unapply(before.clone(), editor)


def apply(migration: Migration, before: ProjectState) -> None:
    with connection.schema_editor(atomic=False) as editor:
        migration.apply(before.clone(), editor)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("app", "like"), [("accounts", 2), ("billing", 2), ("videos", 3)])
def test_a_change_of_indexes_goes_back_and_forth(loader, app, like):
    migration, before = changing(loader, app)
    ours = definitions(app)
    unapply(migration, before)
    former = definitions(app)
    assert sum("_pattern_ops" in text for text in former.values()) == like
    apply(migration, before)
    assert (definitions(app), len(former) > len(ours)) == (ours, True)


@pytest.mark.django_db(transaction=True)
def test_a_change_of_indexes_is_finished_after_a_failure(loader):
    migration, before = changing(loader, "videos")
    ours = definitions("videos")
    unapply(migration, before)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX video_queue ON videos_video (id)")
        cursor.execute("DROP INDEX video_due")
    apply(migration, before)
    assert definitions("videos") == ours


@pytest.mark.django_db(transaction=True)
def test_pages_of_videos_are_filled_partly(loader):
    migration, before = changing(loader, "videos")
    unapply(migration, before)
    former = options("videos_video")
    apply(migration, before)
    assert (former, options("videos_video")) == (None, ["fillfactor=85"])


@pytest.mark.django_db
def test_a_change_of_indexes_in_a_transaction_is_refused(loader):
    migration, before = changing(loader, "billing")
    with transaction.atomic(), pytest.raises(NotSupportedError, match="Set `atomic = False` on the migration"):
        migration.operations[0].database_forwards("billing", connection.schema_editor(), before, before)
