"""Writes the audit log. Call it inside the transaction of the audited change, so that both commit or neither."""

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

logger = structlog.get_logger(__name__)
RETENTION = timedelta(days=400)


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
    request = request_context.current()
    entry: AuditEntry = AuditEntry.objects.create(
        act=act,
        by_staff=by_staff,
        account_id=account_id,
        user_id=user_id,
        api_key_id=key_id,
        detail={name: str(value) for name, value in detail.items()},
        address=request.address or None,
        user_agent=request.user_agent,
        request_id=request.request_id,
    )
    logger.info("audit", act=str(act), account_id=str(account_id or ""), user_id=str(user_id or ""))
    return entry


def record_by(caller: Caller, act: AuditAct, **detail: Any) -> None:
    record(act, account_id=caller.account_id, user_id=caller.user_id, key_id=caller.key_id, **detail)


def record_staff_action(
    act: AuditAct, *, staff_id: UUID | None, account_id: UUID | None = None, **detail: Any
) -> AuditEntry:
    """Add an entry for an action of staff. `staff_id` is None for a management command."""
    return record(act, account_id=account_id, user_id=staff_id, by_staff=True, **detail)


def delete_old_entries() -> int:
    return delete_in_batches(AuditEntry.objects.filter(created_at__lt=timezone.now() - RETENTION))
