"""What a migration does that requests would notice, or the release before, which goes on running beside it.

Own rules rather than django-migration-linter's: that one reads the SQL of `sqlmigrate`, in which neither the work of
a `RunPython` nor what may be run again after a failure is to be seen. Every table counts as a large one.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import connection
from django.db.migrations import Migration, operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Field, Value
from django.db.models.functions import Now

from genvid.create_tables import CreateTables
from genvid.database_defaults import SetDatabaseDefaults
from genvid.index_changes import ChangeIndexes, SetFillFactor
from genvid.trigram_index import AddTrigramIndex

AnyField = Field[Any, Any]
Fields = dict[str, AnyField]
REPEATABLE = (
    *(ChangeIndexes, SetDatabaseDefaults, SetFillFactor, operations.RunPython),
    *(AddIndexConcurrently, RemoveIndexConcurrently, AddTrigramIndex, ValidateConstraint),
)
"""They may run outside of a transaction: after a failure they are run again."""
HARMLESS = (
    *(SetDatabaseDefaults, SetFillFactor, AddIndexConcurrently, RemoveIndexConcurrently, AddTrigramIndex),
    *(AddConstraintNotValid, ValidateConstraint),
    *(operations.RemoveIndex, operations.RemoveConstraint, operations.AlterModelOptions, operations.AlterModelManagers),
)
STILL_USED = (
    *(operations.RemoveField, operations.RenameField, operations.DeleteModel),
    *(operations.RenameModel, operations.AlterModelTable),
)
BLOCKS_WRITES = "its index is built while writes wait: build it with ChangeIndexes, in a migration of its own"


def findings(migration: Migration, before: ProjectState) -> list[str]:
    """A line for each unsafe operation. `before`, the state before the migration, becomes the one after it."""
    app, made, found = migration.app_label, set[str](), list[str]()
    for operation in migration.operations:
        if not migration.atomic and not isinstance(operation, REPEATABLE):
            found.append(f"{name_of(operation)}: may not be run again, which a migration without a transaction must")
        for each in executed(operation):
            if isinstance(each, operations.CreateModel):
                made.add(each.name_lower)
            elif model_of(each) not in made:
                found += judge(each, fields_of(before, app, model_of(each)), atomic=migration.atomic)
        operation.state_forwards(app, before)
    return found


def executed(operation: Operation) -> Iterator[Operation]:
    """The operations that touch the database."""
    if isinstance(operation, operations.SeparateDatabaseAndState):
        for each in operation.database_operations:
            yield from executed(each)
    elif isinstance(operation, CreateTables):
        yield from sorted(operation.operations, key=lambda each: not isinstance(each, operations.CreateModel))
    else:
        yield operation


def model_of(operation: Operation) -> str:
    return str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()


def name_of(operation: Operation) -> str:
    words = [type(operation).__name__, getattr(operation, "model_name", ""), getattr(operation, "name", "")]
    return " ".join(str(word) for word in words if word)


def fields_of(state: ProjectState, app: str, model: str) -> Fields:
    found = state.models.get((app, model))
    return found.fields if found else {}


def judge(operation: Operation, fields: Fields, *, atomic: bool) -> list[str]:
    return [f"{name_of(operation)}: {text}" for text in _judge(operation, fields, atomic=atomic)]


def _judge(operation: Operation, fields: Fields, *, atomic: bool) -> Iterable[str]:
    if isinstance(operation, HARMLESS):
        return []
    if isinstance(operation, STILL_USED):
        return ["the release before still uses it: remove it one release after the last use"]
    for kind, rule in RULES.items():
        if isinstance(operation, kind):
            return rule(operation, fields, atomic)
    return ["no rule judges this operation"]


def _added_field(operation: Any, fields: Fields, atomic: bool) -> Iterator[str]:
    field = operation.field
    if field.many_to_many or field.generated:
        return
    if not field.null and not field.has_db_default():
        yield "NOT NULL without db_default: the release before cannot insert rows"
    if field.has_db_default() and not isinstance(field._db_default_expression, (Value, Now)):
        yield "its default is computed for each row, which writes the table anew"
    if field.db_index or field.unique:
        yield BLOCKS_WRITES


def _altered_field(operation: Any, fields: Fields, atomic: bool) -> Iterator[str]:
    old, new = fields[operation.name], operation.field
    if not (old.is_relation and new.is_relation) and not _same_type(old, new):
        yield "another type: add a new column, and remove this one a release later"
    if old.null and not new.null:
        yield "NOT NULL: the table is read whole under a lock, and the release before may still write NULL"
    if old.has_db_default() and not new.has_db_default() and not new.null:
        yield "without its db_default the release before cannot insert rows"
    if (new.unique and not old.unique) or (new.db_index and not old.db_index):
        yield BLOCKS_WRITES


def _same_type(old: AnyField, new: AnyField) -> bool:
    """Or a longer varchar, which PostgreSQL takes without looking at rows."""
    (before, former), (after, length) = (_type_and_length(each) for each in (old, new))
    return before == after and (length or 0) >= (former or 0)


def _type_and_length(field: AnyField) -> tuple[str, int | None]:
    kind = str(field.db_type(connection)).replace("character varying", "varchar")
    if kind.startswith("varchar("):
        return "varchar", field.max_length
    return kind, None


def _added_index(operation: Any, fields: Fields, atomic: bool) -> Iterator[str]:
    yield BLOCKS_WRITES


def _added_constraint(operation: Any, fields: Fields, atomic: bool) -> Iterator[str]:
    yield "rows are checked while everybody waits: add it with ChangeIndexes"


def _changed_indexes(operation: ChangeIndexes, fields: Fields, atomic: bool) -> Iterator[str]:
    if atomic:
        yield "needs a migration of its own with atomic = False"


def _run_python(operation: Any, fields: Fields, atomic: bool) -> Iterator[str]:
    if atomic:
        yield "rows stay locked until the end: atomic = False, in batches, in a migration of its own"


def _run_sql(operation: Any, fields: Fields, atomic: bool) -> Iterator[str]:
    yield "SQL is not judged by rules"


RULES: dict[type[Operation], Callable[[Any, Fields, bool], Iterator[str]]] = {
    operations.AddField: _added_field,
    operations.AlterField: _altered_field,
    operations.AddIndex: _added_index,
    operations.AddConstraint: _added_constraint,
    ChangeIndexes: _changed_indexes,
    operations.RunPython: _run_python,
    operations.RunSQL: _run_sql,
}
