"""Defaults that the database itself knows, so that the release before can insert rows without newer columns.

Fields have them as `db_default` beside `default`, which is what this release sends.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import NotSupportedError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Model

from genvid.index_changes import rebuild_tables

Editor = Any
"""A schema editor, of which private methods are needed."""


class SetDatabaseDefaults(Operation):
    """Sets `db_default` of existing columns: a change of the catalogue alone, one statement for each table.

    Its migration must not be atomic, so that each table is locked for its own statement only. A field without a
    `default` gets the same value as one.
    """

    atomic = False

    def __init__(self, defaults: Mapping[str, Mapping[str, Any]]) -> None:
        """`defaults`: by the names of model and field."""
        self.defaults = defaults

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [], {"defaults": self.defaults}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        # Rendered again at the next access.
        state.__dict__.pop("apps", None)
        for model, values in self.defaults.items():
            fields = state.models[app_label, model.lower()].fields
            for name, value in values.items():
                state.alter_field(app_label, model.lower(), name, with_default(fields[name], value), True)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._alter(app_label, schema_editor, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._alter(app_label, schema_editor, to_state)

    def describe(self) -> str:
        return f"Set database defaults of {sum(map(len, self.defaults.values()))} columns"

    def _alter(self, app_label: str, editor: Editor, state: ProjectState) -> None:
        """As `state` has it, which is the one without defaults on the way back."""
        if editor.connection.in_atomic_block:
            raise NotSupportedError("Set `atomic = False` on the migration.")
        models = {name: state.apps.get_model(app_label, name) for name in self.defaults}
        if editor.connection.vendor == "sqlite":
            rebuild_tables(editor, models.values())
            return
        for name, model in models.items():
            _alter_columns(editor, model, [model._meta.get_field(each) for each in self.defaults[name]])


def with_default(field: Any, value: Any) -> Any:
    changed = field.clone()
    changed.db_default = value
    if not changed.has_default():
        changed.default = value
    return changed


def _alter_columns(editor: Editor, model: type[Model], fields: Iterable[Any]) -> None:
    changes, params = [], []
    for field in fields:
        column = f"ALTER COLUMN {editor.quote_name(field.column)}"
        if field.has_db_default():
            text, values = editor.db_default_sql(field)
            changes.append(f"{column} SET DEFAULT {text}")
            params += values
        else:
            changes.append(f"{column} DROP DEFAULT")
    editor.execute(f"ALTER TABLE {editor.quote_name(model._meta.db_table)} {', '.join(changes)}", params)


def return_only_unsent_columns(models: Iterable[type[Model]]) -> None:
    """An INSERT asks the database for the columns that were not sent, not for each column with a `db_default`.

    Django asks for all of these, though it has sent the value of `default`.
    """
    for model in models:
        meta: Any = model._meta
        meta.db_returning_fields = [field for field in meta.db_returning_fields if not field.has_default()]
