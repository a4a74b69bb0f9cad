"""The log of acts on which somebody's access or money hangs: owners read it at `audit-log`, staff in the admin.

Call it inside the transaction of the act, so that there is never one without the other.
"""

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
"""Thirteen months: a year can be looked back on."""


def record(
    act: AuditAct,
    *,
    account_id: UUID | None,
    user_id: UUID | None = None,
    key_id: UUID | None = None,
    by_staff: bool = False,
    **detail: Any,
) -> AuditEntry:
    """Who did what, and from where the present request came. `detail`: plain words and ids, never a secret."""
    here = request_context.current()
    entry: AuditEntry = AuditEntry.objects.create(
        act=act,
        by_staff=by_staff,
        account_id=account_id,
        user_id=user_id,
        api_key_id=key_id,
        detail={name: str(value) for name, value in detail.items()},
        address=here.address or None,
        user_agent=here.user_agent,
        request_id=here.request_id,
    )
    logger.info("audit", act=str(act), account_id=str(account_id or ""), user_id=str(user_id or ""))
    return entry


def record_by(caller: Caller, act: AuditAct, **detail: Any) -> None:
    """The same for what a caller did to their own account."""
    record(act, account_id=caller.account_id, user_id=caller.user_id, key_id=caller.key_id, **detail)


def record_staff_action(
    act: AuditAct, *, staff_id: UUID | None, account_id: UUID | None = None, **detail: Any
) -> AuditEntry:
    """An act of staff. `account_id`: whose account it changes; `staff_id` is None for an operator at a shell."""
    return record(act, account_id=account_id, user_id=staff_id, by_staff=True, **detail)


def delete_old_entries() -> int:
    """Returns how many entries were too old."""
    return delete_in_batches(AuditEntry.objects.filter(created_at__lt=timezone.now() - RETENTION))
