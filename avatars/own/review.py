"""Staff approve or refuse own faces and voices before they are made. Each decision is in the audit log."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import audit_log
from accounts.enums import AuditAct
from avatars import jobs
from avatars.enums import EntryStatus
from avatars.models import Creation
from avatars.own import settlement
from genvid.errors import InvalidState
from genvid.jobs import enqueue_on_commit


@transaction.atomic
def approve(creation: Creation, *, staff_id: UUID) -> None:
    """Raises InvalidState when it no longer waits for a review."""
    deadline = timedelta(seconds=settings.OWN_AVATAR_QUEUE_DEADLINE)
    if creation.status != EntryStatus.REVIEW or not creation.move(
        EntryStatus.QUEUED, reason="approved", deadline=deadline
    ):
        raise InvalidState("It does not wait for a review.")
    _record(AuditAct.OWN_AVATAR_APPROVED, creation, staff_id)
    enqueue_on_commit(jobs.WORK_ON_CREATION, str(creation.pk))


@transaction.atomic
def refuse(creation: Creation, *, reason: str, staff_id: UUID) -> None:
    """`reason` is shown to the customer. Raises InvalidState when it no longer waits for a review."""
    if creation.status != EntryStatus.REVIEW or not settlement.refuse(creation, message=reason):
        raise InvalidState("It does not wait for a review.")
    _record(AuditAct.OWN_AVATAR_REFUSED, creation, staff_id, reason=reason)


def _record(act: AuditAct, creation: Creation, staff_id: UUID, **detail: str) -> None:
    facts = {"kind": creation.kind, "entry": str(creation.entry_id)} | detail
    audit_log.record_staff_action(act, staff_id=staff_id, account_id=creation.account_id, **facts)
