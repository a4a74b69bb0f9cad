"""Writes the audit log. Call it inside the transaction of the audited change, so that both commit or neither."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.utils import timezone

from accounts.caller import Caller
from accounts.enums import AuditAct
from accounts.models import AuditEntry
from genvid import request_context
from genvid.batched_rows import delete_in_batches
from genvid.errors import Conflict
from genvid.statements import insert_if_absent

logger = structlog.get_logger(__name__)
RETENTION = timedelta(days=400)


class AlreadyDone(Conflict):
    """An action of staff was asked for twice, by a double click or a repeated form."""

    message = "This was done already; nothing was done twice."


def record(
    act: AuditAct,
    *,
    account_id: UUID | None,
    user_id: UUID | None = None,
    key_id: UUID | None = None,
    by_staff: bool = False,
    **detail: Any,
) -> AuditEntry:
    """Add an entry with the address and user agent of the current request. `detail` must hold no secrets."""
    entry = _entry(act, account_id=account_id, user_id=user_id, api_key_id=key_id, by_staff=by_staff, detail=detail)
    entry.save(force_insert=True)
    _log(entry)
    return entry


def _entry(act: AuditAct, *, detail: Mapping[str, Any], **who: Any) -> AuditEntry:
    request = request_context.current()
    return AuditEntry(
        act=act,
        detail={name: str(value) for name, value in detail.items()},
        address=request.address or None,
        user_agent=request.user_agent,
        request_id=request.request_id,
        **who,
    )


def _log(entry: AuditEntry) -> None:
    account_id, user_id = str(entry.account_id or ""), str(entry.user_id or "")
    logger.info("audit", act=str(entry.act), account_id=account_id, user_id=user_id)


def record_by(caller: Caller, act: AuditAct, **detail: Any) -> None:
    record(act, account_id=caller.account_id, user_id=caller.user_id, key_id=caller.key_id, **detail)


def record_staff_action(
    act: AuditAct, *, staff_id: UUID | None, account_id: UUID | None = None, **detail: Any
) -> AuditEntry:
    """Add an entry for an action of staff. `staff_id` is None for a management command."""
    return record(act, account_id=account_id, user_id=staff_id, by_staff=True, **detail)


def record_once(act: AuditAct, token: UUID, *, staff_id: UUID, account_id: UUID, **detail: Any) -> None:
    """Add an entry for an action of staff that a page offered under `token`.

    Raises AlreadyDone where that action was recorded before. Call it first in the action's transaction: a second click
    then waits for the first, and changes nothing.
    """
    entry = _entry(act, account_id=account_id, user_id=staff_id, by_staff=True, detail=detail)
    entry.pk = token
    if not insert_if_absent(entry):
        raise AlreadyDone
    _log(entry)


def was_recorded(token: UUID) -> bool:
    return AuditEntry.objects.filter(pk=token).exists()


def delete_old_entries() -> int:
    return delete_in_batches(AuditEntry.objects.filter(created_at__lt=timezone.now() - RETENTION))
