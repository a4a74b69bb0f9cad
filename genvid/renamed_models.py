"""Migration operations for a model whose class is renamed while its table keeps its name.

The previous release goes on using the table. Its permissions stay, and their holders get the new ones too.
"""

from typing import Any

from django.db.migrations import RunPython, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import AlterModelTable, RenameModel

ACTIONS = ("add", "change", "delete", "view")


def rename_model(app: str, old: str, new: str, *, table: str) -> list[Operation]:
    """The migration depends on the last ones of `auth` and `contenttypes`."""

    def copy_permissions(apps: Any, schema_editor: Any) -> None:
        content_types, permissions = apps.get_model("contenttypes.ContentType"), apps.get_model("auth.Permission")
        using = schema_editor.connection.alias
        former = content_types.objects.using(using).filter(app_label=app, model=old.lower()).first()
        if former is None:
            return
        present, _ = content_types.objects.using(using).get_or_create(app_label=app, model=new.lower())
        for action in ACTIONS:
            name = {"name": f"Can {action} {new}"}
            for permission in permissions.objects.using(using).filter(
                content_type=former, codename=f"{action}_{old.lower()}"
            ):
                copy, _ = permissions.objects.using(using).get_or_create(
                    content_type=present, codename=f"{action}_{new.lower()}", defaults=name
                )
                copy.group_set.add(*permission.group_set.all())
                copy.user_set.add(*permission.user_set.all())

    state: list[Operation] = [RenameModel(old, new), AlterModelTable(new, table)]
    return [SeparateDatabaseAndState(state_operations=state), RunPython(copy_permissions, RunPython.noop)]
