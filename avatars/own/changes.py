"""Renaming and deleting own avatars and voices. Deleting withdraws the consent."""

from accounts import audit_log
from accounts.caller import Caller
from accounts.enums import AuditAct
from avatars import jobs
from avatars.enums import PENDING, EntryStatus
from avatars.models import Creation, CreationEvent
from avatars.own import settlement
from genvid import database_clock
from genvid.jobs import enqueue_on_commit
from genvid.leasing import from_now
from genvid.transactions import joined


def rename(creation: Creation, name: str) -> None:
    """Here alone: at HeyGen its name is our marker."""
    creation.write_entry(name=name)
    creation.entry.name = name


@joined()
def delete(caller: Caller, creation: Creation) -> bool:
    """Nobody may use it from now on; a worker ends what was ordered with it, and deletes it at HeyGen."""
    deleted = withdraw(creation, reason="deleted")
    if deleted:
        facts = {"kind": creation.kind, "entry": creation.entry_id, "version": creation.consent_version}
        audit_log.record_by(caller, AuditAct.CONSENT_WITHDRAWN, **facts)
    return deleted


@joined()
def withdraw(creation: Creation, *, reason: str) -> bool:
    """False when it was deleted before. Whatever a worker is just doing with it, its lease is lost."""
    locked = Creation.objects.select_for_update().filter(pk=creation.pk, deleted_at=None).first()
    if locked is None:
        return False
    source, now = locked.status, database_clock.now()
    to = EntryStatus.FAILED if source in PENDING else EntryStatus(source)
    changes = {"deleted_at": now, "status": to, "due_at": from_now(), "deadline_at": None, "tries": 0}
    changes |= {"waiting_reason": "", "consent_url": "", "removed_at": None, "credits_held": 0}
    if source in PENDING:
        changes |= {"moved_at": now, "error_code": "deleted", "error_message": "It was deleted."}
    if Creation.objects.filter(pk=creation.pk, deleted_at=None, status=source).update(**changes) != 1:
        return False
    creation.show(changes)
    creation.write_entry(status=to, is_released=False, is_available=False)
    CreationEvent.objects.create(creation=creation, from_status=source, to_status=to, reason=reason, created_at=now)
    if source in PENDING:
        settlement.release(creation)
    enqueue_on_commit(jobs.WORK_ON_CREATION, str(creation.pk))
    return True
