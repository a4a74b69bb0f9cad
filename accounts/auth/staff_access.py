"""Changes of staff permissions. Only superusers may make them; they are audited and mailed to the other superusers."""

from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts import audit_log
from accounts.enums import AuditAct, MailKind
from accounts.models import AuditEntry, User
from genvid.mail import outbox

ACCESS_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions", "email_verified_at")
"""Only superusers see and set these."""


def may_edit(editor: Any, user: User | None) -> bool:
    return bool(editor.is_superuser) or user is None or not (user.is_staff or user.is_superuser)


def access_of(row: User | Group) -> dict[str, str]:
    if isinstance(row, Group):
        return {"name": row.name, "permissions": _listed(row.permissions.order_by("pk"))}
    # Staff may deactivate a customer; that is no change of permissions.
    names = ("is_active",) if row.is_staff or row.is_superuser else ()
    fields = {name: str(getattr(row, name)) for name in (*names, "is_staff", "is_superuser", "email_verified_at")}
    related = {"groups": row.groups, "user_permissions": row.user_permissions}
    return fields | {name: _listed(rows.order_by("pk")) for name, rows in related.items()}


@transaction.atomic
def record_access_change(editor: Any, row: User | Group, *, before: dict[str, str], after: dict[str, str]) -> bool:
    """Audit a change and mail the other superusers; returns False if nothing changed. Call it inside the transaction of
    the change: it raises Django's PermissionDenied if the editor is no superuser.
    """
    changes = {name: after.get(name, "gone") for name in {**before, **after} if before.get(name) != after.get(name)}
    if not changes:
        return False
    if not editor.is_superuser:
        raise PermissionDenied("Only a superuser may change who is staff, or what staff may do.")
    facts: dict[str, Any] = {"kind": row._meta.model_name, "id": row.pk, **changes}
    entry = audit_log.record_staff_action(AuditAct.ACCESS_CHANGED, staff_id=editor.pk, **facts)
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=editor.pk)
    for user_id in others.values_list("pk", flat=True):
        outbox.write(MailKind.ACCESS_CHANGED, person=user_id, entry=str(entry.pk))
    return True


def facts_of_change(entry: AuditEntry) -> dict[str, Any]:
    """What superusers are told of another's change of access."""
    changes = {name: value for name, value in entry.detail.items() if name not in ("kind", "id")}
    by = entry.user.email if entry.user else ""
    return {"by": by, "whose": _subject(entry.detail), "at": entry.created_at, "changes": changes}


def _subject(detail: dict[str, str]) -> str:
    """Whose access it was; empty for a person who is gone. The entry itself names nobody: it outlives an erasure."""
    if detail["kind"] == "user":
        return User.objects.filter(pk=detail["id"]).values_list("email", flat=True).first() or ""
    return f"the group {detail['id']}"


def _listed(rows: Any) -> str:
    return ", ".join(str(row) for row in rows) or "none"
