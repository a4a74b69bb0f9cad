"""Records changes made in admin forms in the audit log."""

from typing import Any

from django.dispatch import receiver
from django.http import HttpRequest

from accounts import audit_log
from accounts.enums import AuditAct
from genvid.staff_changes import record_changed

ACTS_BY_ACTION = {
    "added": AuditAct.RECORD_ADDED,
    "changed": AuditAct.RECORD_CHANGED,
    "removed": AuditAct.RECORD_REMOVED,
}


@receiver(record_changed, dispatch_uid="accounts.note_record_changed")
def record_admin_change(*, request: HttpRequest, row: Any, action: str, fields: tuple[str, ...], **_: Any) -> None:
    # Without the row's name: a person's would survive their erasure.
    facts: dict[str, Any] = {"kind": row._meta.label, "id": row.pk}
    if fields:
        facts["fields"] = ", ".join(fields)
    audit_log.record_staff_action(ACTS_BY_ACTION[action], staff_id=getattr(request.user, "pk", None), **facts)
