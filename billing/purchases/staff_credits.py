"""Credits given or taken by staff: at once within a limit per person and day, beyond it by two persons."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Abs
from django.utils import timezone

from accounts import audit_log
from accounts.enums import AuditAct
from accounts.models import User
from billing import credits as ledger
from billing.enums import AdjustmentStatus
from billing.models import CreditAdjustment
from genvid.errors import InvalidState
from genvid.statements import insert_if_absent

DAY = timedelta(hours=24)


@transaction.atomic
def adjust_credits(
    account_id: UUID, credits: int, *, reason: str, staff_id: UUID, token: UUID, may_overdraw: bool = False
) -> CreditAdjustment:
    """Give, or take with negative `credits`, now or once a second member of staff confirms: see the row's status.

    `token` makes a repetition harmless. Raises AlreadyDone and InsufficientCredits.
    """
    # Two adjustments of one person at once must not pass the limit together.
    User.objects.select_for_update(no_key=True).get(pk=staff_id)
    is_within_limit = abs(credits) <= credits_left_today(staff_id)
    adjustment = CreditAdjustment(
        pk=token, account_id=account_id, credits=credits, reason=reason, may_overdraw=may_overdraw,
        requested_by_id=staff_id,
    )  # fmt: skip
    if not insert_if_absent(adjustment):
        raise audit_log.AlreadyDone
    if is_within_limit:
        _apply(adjustment, staff_id)
    else:
        _record(AuditAct.STAFF_CREDITS_REQUESTED, adjustment, staff_id)
    return adjustment


def credits_left_today(staff_id: UUID) -> int:
    """What this person may still give or take alone: the limit less all of the last 24 hours, both ways."""
    alone = CreditAdjustment.objects.filter(requested_by=staff_id, decided_by=staff_id, status=AdjustmentStatus.APPLIED)
    moved = alone.filter(requested_at__gt=timezone.now() - DAY).aggregate(total=Sum(Abs("credits")))["total"]
    return max(0, int(settings.STAFF_CREDITS_PER_DAY) - (moved or 0))


@transaction.atomic
def confirm_adjustment(adjustment: CreditAdjustment, *, staff_id: UUID) -> None:
    """Raises InvalidState for the person who asked for it and for a decided one, and InsufficientCredits."""
    if adjustment.requested_by_id == staff_id:
        raise InvalidState("Somebody else must confirm what you asked for.")
    _apply(adjustment, staff_id)


@transaction.atomic
def decline_adjustment(adjustment: CreditAdjustment, *, staff_id: UUID) -> None:
    """Also for the person who asked for it. Raises InvalidState for a decided one."""
    _decide(adjustment, AdjustmentStatus.DECLINED, staff_id)
    _record(AuditAct.STAFF_CREDITS_DECLINED, adjustment, staff_id)


def close_adjustments(account_id: UUID) -> None:
    """Declines what waits for an account that is erased."""
    waiting = CreditAdjustment.objects.filter(account=account_id, status=AdjustmentStatus.WAITING)
    waiting.update(status=AdjustmentStatus.DECLINED, decided_at=timezone.now())


def _apply(adjustment: CreditAdjustment, staff_id: UUID) -> None:
    _decide(adjustment, AdjustmentStatus.APPLIED, staff_id)
    ledger.adjust(
        adjustment.account_id,
        adjustment.credits,
        reference=adjustment.reference,
        description=adjustment.reason,
        may_overdraw=adjustment.may_overdraw,
        is_recorded=True,
    )
    _record(AuditAct.STAFF_CREDITS_ADJUSTED, adjustment, staff_id)


def _decide(adjustment: CreditAdjustment, status: AdjustmentStatus, staff_id: UUID) -> None:
    decision: dict[str, Any] = {"status": status, "decided_by_id": staff_id, "decided_at": timezone.now()}
    waiting = CreditAdjustment.objects.filter(pk=adjustment.pk, status=AdjustmentStatus.WAITING)
    if waiting.update(**decision) != 1:
        raise InvalidState("This was decided already.")


def _record(act: AuditAct, adjustment: CreditAdjustment, staff_id: UUID) -> None:
    facts = {"credits": adjustment.credits, "reason": adjustment.reason, "reference": adjustment.reference}
    if adjustment.requested_by_id not in (None, staff_id):
        facts["requested_by"] = str(adjustment.requested_by_id)
    audit_log.record_staff_action(act, staff_id=staff_id, account_id=adjustment.account_id, **facts)
