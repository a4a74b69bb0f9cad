"""Migration operations for large tables: indexes, and free space on pages. On PostgreSQL nobody waits."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import NotSupportedError, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddConstraint, AddIndex, AlterField, RemoveIndex
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import BaseConstraint, Model

from genvid.lock_waiting import lock_timeout

Change = AddConstraint | AddIndex | AlterField | RemoveIndex
Editor = Any
"""A schema editor, of which private methods are needed."""


class ChangeIndexes(Operation):
    """Several changes as one step, so that historical models are rendered once. Its migration must not be atomic.

    An `AlterField` drops `db_index` or `unique`, or makes a `CharField` an `ExactCharField`. A constraint is a
    `CheckConstraint`. After a failure the step may be run again.
    """

    atomic = False

    def __init__(self, operations: Sequence[Change]) -> None:
        self.operations = operations

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [], {"operations": self.operations}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        # Rendered again at the next access.
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._run(app_label, schema_editor, to_state, _apply)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._run(app_label, schema_editor, to_state, _revert)

    def describe(self) -> str:
        return f"Change {len(self.operations)} indexes and constraints"

    def _run(
        self, app_label: str, editor: Editor, state: ProjectState, change: Callable[[Editor, type[Model], Change], None]
    ) -> None:
        if editor.connection.in_atomic_block:
            raise NotSupportedError("Set `atomic = False` on the migration.")
        models = {_model_of(each): state.apps.get_model(app_label, _model_of(each)) for each in self.operations}
        if editor.connection.vendor == "sqlite":
            rebuild_tables(editor, models.values())
            return
        for operation in self.operations if change is _apply else reversed(self.operations):
            change(editor, models[_model_of(operation)], operation)


class SetFillFactor(Operation):
    """PostgreSQL leaves the rest of each new page free, so that a changed row fits beside its old version."""

    def __init__(self, table: str, percent: int) -> None:
        self.table, self.percent = table, percent

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [], {"table": self.table, "percent": self.percent}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Models do not know of it."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._execute(schema_editor, f"SET (fillfactor = {self.percent})")

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._execute(schema_editor, "RESET (fillfactor)")

    def describe(self) -> str:
        return f"Fill pages of {self.table} to {self.percent} %"

    def _execute(self, editor: BaseDatabaseSchemaEditor, change: str) -> None:
        if editor.connection.vendor == "postgresql":
            editor.execute(f"ALTER TABLE {editor.quote_name(self.table)} {change}")


def _model_of(operation: Change) -> str:
    return str(getattr(operation, "model_name", "")).lower()


def rebuild_tables(editor: Editor, models: Iterable[type[Model]]) -> None:
    """SQLite: each table is made anew with the indexes and constraints of its model, in one transaction."""
    with transaction.atomic(editor.connection.alias):
        for model in models:
            editor._remake_table(model)


def _apply(editor: Editor, model: type[Model], operation: Change) -> None:
    if isinstance(operation, RemoveIndex):
        _drop_index(editor, operation.name)
    elif isinstance(operation, AddIndex):
        _add_index(editor, model, operation.index.name)
    elif isinstance(operation, AddConstraint):
        _add_check(editor, model, operation.constraint)
    else:
        _drop_field_indexes(editor, model, operation.name)


def _revert(editor: Editor, model: type[Model], operation: Change) -> None:
    if isinstance(operation, RemoveIndex):
        _add_index(editor, model, operation.name)
    elif isinstance(operation, AddIndex):
        _drop_index(editor, operation.index.name)
    elif isinstance(operation, AddConstraint):
        _drop_constraint(editor, model, operation.constraint.name)
    else:
        _add_field_indexes(editor, model, operation.name)


def _drop_index(editor: Editor, name: str) -> None:
    with lock_timeout(editor.connection, 0):
        editor.execute(editor.sql_delete_index_concurrently % {"name": editor.quote_name(name)})


def _add_index(editor: Editor, model: type[Model], name: str) -> None:
    # What a failed attempt left would not be used by any query.
    _drop_index(editor, name)
    index = next(each for each in model._meta.indexes if each.name == name)
    # Nobody waits behind it, so it may wait for the transactions that are open.
    with lock_timeout(editor.connection, 0):
        editor.add_index(model, index, concurrently=True)


def _drop_constraint(editor: Editor, model: type[Model], name: str) -> None:
    editor.execute(f"ALTER TABLE {_table(editor, model)} DROP CONSTRAINT IF EXISTS {editor.quote_name(name)}")


def _add_check(editor: Editor, model: type[Model], check: BaseConstraint) -> None:
    """Existing rows are checked afterwards, while others write."""
    _drop_constraint(editor, model, check.name)
    editor.execute(f"{check.create_sql(model, editor)} NOT VALID", params=None)
    editor.execute(f"ALTER TABLE {_table(editor, model)} VALIDATE CONSTRAINT {editor.quote_name(check.name)}")


def _drop_field_indexes(editor: Editor, model: type[Model], name: str) -> None:
    """Those that Django made for an earlier state of the field and would not make now."""
    field: Any = model._meta.get_field(name)
    if not field.unique:
        for constraint in editor._constraint_names(model, [field.column], unique=True):
            _drop_constraint(editor, model, constraint)
        if not field.db_index:
            _drop_index(editor, _index_name(editor, model, field.column, ""))
    if editor._create_like_index_sql(model, field) is None:
        _drop_index(editor, _index_name(editor, model, field.column, "_like"))


def _add_field_indexes(editor: Editor, model: type[Model], name: str) -> None:
    field: Any = model._meta.get_field(name)
    if field.unique and not editor._constraint_names(model, [field.column], unique=True):
        editor.execute(editor._create_unique_sql(model, [field]))
    for suffix in ("", "_like"):
        _drop_index(editor, _index_name(editor, model, field.column, suffix))
    for statement in editor._field_indexes_sql(model, field):
        editor.execute(statement)


def _index_name(editor: Editor, model: type[Model], column: str, suffix: str) -> str:
    return str(editor._create_index_name(model._meta.db_table, [column], suffix))


def _table(editor: Editor, model: type[Model]) -> str:
    return str(editor.quote_name(model._meta.db_table))
