"""Every migration may run while the release before serves requests; and the rules find what may not."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models.functions import Now
from pytest_django import Settings

from genvid import settings as written
from genvid.database_defaults import SetDatabaseDefaults
from genvid.index_changes import ChangeIndexes
from genvid.model_fields import ExactCharField
from genvid.tests.migration_safety import findings

OURS = ("accounts", "avatars", "billing", "heartbeats", "mail", "videos")
RELEASED = {
    "accounts": "0005_audit_acts_of_billing",
    "avatars": "0001_initial",
    "billing": "0005_plans_and_payments",
    "videos": "0004_test_videos_and_usage",
}
"""The last migrations of 0.9.0, the first release: no release before it had to go on running. Not to be extended."""
INDEX = "its index is built while writes wait: build it with ChangeIndexes, in a migration of its own"
LOCKED_ROWS = "rows stay locked until the end: atomic = False, in batches, in a migration of its own"
KNOWN = {
    "avatars.0002_owners": (
        "a catalogue of some thousand rows, which customers only read",
        [f"AddField avatar account: {INDEX}", f"AddField voice account: {INDEX}"],
    ),
    "billing.0007_funding": ("a new column of disputes, of which there are few", [f"RunPython: {LOCKED_ROWS}"]),
    "billing.0008_signup_grants": ("writes new rows of a new table, in batches", [f"RunPython: {LOCKED_ROWS}"]),
    "billing.0009_rename_nudge": ("copies eight permissions at most", [f"RunPython: {LOCKED_ROWS}"]),
    "videos.0006_gate_and_waiting": ("a table of one row", [f"AddField providerstate tripped_by: {INDEX}"]),
    "videos.0008_rename_render_pace": ("copies eight permissions at most", [f"RunPython: {LOCKED_ROWS}"]),
    "videos.0010_indexes": (
        "rewrites rows of a kind that no release writes; may be run again",
        [
            "RunSQL: may not be run again, which a migration without a transaction must",
            "RunSQL: SQL is not judged by rules",
        ],
    ),
}
"""Older than these rules. A new migration keeps to them."""


@pytest.fixture
def loader(settings: Settings) -> MigrationLoader:
    """The tests themselves run without migrations."""
    settings.MIGRATION_MODULES = written.MIGRATION_MODULES
    return MigrationLoader(None)


def judged(loader: MigrationLoader) -> Iterator[tuple[Migration, list[str]]]:
    state = ProjectState(real_apps=loader.unmigrated_apps)
    leaves: Any = loader.graph.leaf_nodes()
    for node in loader.graph._generate_plan(leaves, True):  # type: ignore[attr-defined]
        migration = loader.graph.nodes[node]
        if node[0] in OURS:
            yield migration, findings(migration, state)
        else:
            migration.mutate_state(state, preserve=False)


def test_no_migration_stops_requests_or_the_release_before(loader):
    found = {
        f"{migration.app_label}.{migration.name}": lines
        for migration, lines in judged(loader)
        if lines and migration.name > RELEASED.get(migration.app_label, "")
    }
    assert found == {name: lines for name, (_, lines) in KNOWN.items()}


def test_known_migrations_are_there(loader):
    names = {f"{app}.{name}" for app, name in loader.graph.nodes}
    assert set(KNOWN) | {f"{app}.{name}" for app, name in RELEASED.items()} <= names


HEN = operations.CreateModel(
    "Hen",
    [
        ("id", models.AutoField(primary_key=True)),
        ("name", models.CharField(max_length=20, db_default="")),
        ("weight", models.IntegerField(null=True)),
    ],
)


def judge(*steps: Any, atomic: bool = True) -> list[str]:
    state = ProjectState()
    HEN.state_forwards("hatchery", state)
    migration = Migration("0002_next", "hatchery")
    migration.operations, migration.atomic = list(steps), atomic
    return findings(migration, state)


def added(field: models.Field) -> operations.AddField:
    return operations.AddField("Hen", "extra", field)


def altered(name: str, field: models.Field) -> operations.AlterField:
    return operations.AlterField("Hen", name, field)


NEW_INDEX = operations.AddIndex("Hen", models.Index(fields=["name"], name="hen_name"))
CHECK = operations.AddConstraint("Hen", models.CheckConstraint(condition=models.Q(weight__gt=0), name="heavy"))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (added(models.IntegerField(default=0)), "NOT NULL without db_default"),
        (added(models.CharField(blank=True, max_length=5)), "NOT NULL without db_default"),
        (added(models.UUIDField(db_default=RandomUUID())), "computed for each row"),
        (added(models.IntegerField(null=True, db_index=True)), INDEX),
        (added(models.IntegerField(null=True, unique=True)), INDEX),
        (added(models.ForeignKey("hatchery.Hen", models.CASCADE, null=True)), INDEX),
        (altered("name", models.TextField(db_default="")), "another type"),
        (altered("name", models.CharField(max_length=10, db_default="")), "another type"),
        (altered("name", models.CharField(max_length=20)), "without its db_default"),
        (altered("name", models.CharField(max_length=20, db_default="", db_index=True)), INDEX),
        (altered("weight", models.IntegerField(db_default=0)), "NOT NULL: the table is read whole"),
        (operations.RemoveField("Hen", "name"), "the release before still uses it"),
        (operations.RenameField("Hen", "name", "title"), "the release before still uses it"),
        (operations.RenameModel("Hen", "Duck"), "the release before still uses it"),
        (operations.DeleteModel("Hen"), "the release before still uses it"),
        (NEW_INDEX, INDEX),
        (CHECK, "rows are checked while everybody waits"),
        (operations.RunPython(operations.RunPython.noop), LOCKED_ROWS),
        (operations.RunSQL("SELECT 1"), "SQL is not judged"),
        (ChangeIndexes([NEW_INDEX]), "atomic = False"),
        (operations.AlterUniqueTogether("Hen", {("name", "weight")}), "no rule judges"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_unsafe_operation_is_found(step, said):
    (line,) = judge(step)
    assert said in line


def test_what_a_migration_without_a_transaction_cannot_repeat_is_found():
    line = "AddField Hen extra: may not be run again, which a migration without a transaction must"
    assert judge(added(models.IntegerField(null=True)), atomic=False) == [line]


@pytest.mark.parametrize(
    "step",
    [
        added(models.IntegerField(null=True)),
        added(models.IntegerField(default=0, db_default=0)),
        added(models.DateTimeField(db_default=Now())),
        added(models.ForeignKey("hatchery.Hen", models.CASCADE, null=True, db_index=False)),
        altered("name", models.CharField(max_length=40, db_default="")),
        altered("name", ExactCharField(max_length=20, db_default="", help_text="Another text.")),
        altered("weight", models.IntegerField(null=True, default=1)),
        operations.RemoveIndex("Hen", "hen_name"),
        operations.SeparateDatabaseAndState(state_operations=[operations.RemoveField("Hen", "name")]),
        operations.CreateModel("Duck", [("id", models.AutoField(primary_key=True))]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_safe_operation_is_let_through(step):
    if isinstance(step, operations.RemoveIndex):
        assert judge(NEW_INDEX, step)[1:] == []
    else:
        assert judge(step) == []


@pytest.mark.parametrize(
    "step",
    [
        ChangeIndexes([NEW_INDEX, CHECK]),
        AddIndexConcurrently("Hen", models.Index(fields=["name"], name="hen_name")),
        SetDatabaseDefaults({"Hen": {"name": "x"}}),
        operations.RunPython(operations.RunPython.noop),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_be_repeated_needs_no_transaction(step):
    assert judge(step, atomic=False) == []


def test_a_new_table_may_have_anything():
    field = operations.AddField("Duck", "name", models.CharField(max_length=5, db_index=True))
    duck = operations.CreateModel("Duck", [("id", models.AutoField(primary_key=True))])
    index = operations.AddIndex("Duck", models.Index(fields=["name"], name="duck_name"))
    assert judge(duck, field, index) == []
