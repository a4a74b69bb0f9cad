"""Sign-up credits: once per mailbox, up to a daily limit; beyond it they wait for staff."""

from datetime import UTC, date
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from accounts import audit_log
from accounts.enums import AuditAct
from accounts.models import User
from billing import credits
from billing.enums import LotSource, SignupGrantStatus
from billing.ledger.entries import lock_wallet
from billing.models import CreditLot, SignupDay, SignupGrant
from billing.purchases import mailboxes
from genvid import database_clock
from genvid.mail import staff_alarms

logger = structlog.get_logger(__name__)


@transaction.atomic
def claim_signup_credits(account_id: UUID, email: str) -> None:
    """Grants them now, or once staff approve. Does nothing for a mailbox or account that claimed them before.

    Call it in the transaction that verifies the mailbox or creates the account.
    """
    amount: int = settings.SIGNUP_CREDITS
    if amount <= 0:
        return
    # The lock serialises two claims of one account.
    lock_wallet(account_id)
    if _has_claimed(account_id, email):
        return
    mailbox = mailboxes.mailbox_digests(email)[0]
    claimed = SignupGrant(account_id=account_id, mailbox=mailbox, credits=amount)
    # The unique mailbox lets one of several accounts at once make the row.
    SignupGrant.objects.bulk_create([claimed], ignore_conflicts=True)
    grant = SignupGrant.objects.filter(account=account_id, mailbox=mailbox).first()
    if grant is None:
        return
    today = database_clock.now().astimezone(UTC).date()
    if _count_against_day(today, amount):
        _grant(grant)
    else:
        logger.warning("signup_credits_wait", account_id=str(account_id), credits=amount)
        _alarm_staff(today)


def _has_claimed(account_id: UUID, email: str) -> bool:
    of_either = Q(account=account_id) | Q(mailbox__in=mailboxes.mailbox_digests(email))
    if SignupGrant.objects.filter(of_either).exists():
        return True
    # Granted before SignupGrant rows existed.
    return CreditLot.objects.filter(wallet=account_id, source=LotSource.SIGNUP).exists()


def _count_against_day(day: date, amount: int) -> bool:
    bound: int | None = settings.SIGNUP_CREDITS_PER_DAY
    if bound is None:
        return True
    SignupDay.objects.bulk_create([SignupDay(day=day)], ignore_conflicts=True)
    within = SignupDay.objects.filter(day=day, credits__lte=bound - amount)
    return within.update(credits=F("credits") + amount) == 1


def _grant(grant: SignupGrant, *, staff: User | None = None) -> bool:
    if not grant.decide(SignupGrantStatus.GRANTED, staff=staff):
        return False
    return credits.grant(
        grant.account_id,
        grant.credits,
        source=LotSource.SIGNUP,
        reference=_reference(grant),
        description="Welcome credits",
    )


def _reference(grant: SignupGrant) -> str:
    return f"signup:{grant.account_id}"


def _alarm_staff(day: date) -> None:
    staff_alarms.raise_alarm(
        "signup_credits",
        day.isoformat(),
        subject="Sign-up credits wait for you",
        text=f"New accounts have been given the {settings.SIGNUP_CREDITS_PER_DAY} sign-up credits of {day} (UTC). "
        "Registering goes on; those who come now wait for their credits until you approve them.",
        link=f"{settings.PUBLIC_URL}/admin/billing/signupgrant/?status__exact=waiting",
    )


@transaction.atomic
def approve_signup_grant(grant: SignupGrant, *, staff: User) -> bool:
    """False when it was decided before."""
    if not _grant(grant, staff=staff):
        return False
    _record_decision(AuditAct.SIGNUP_CREDITS_APPROVED, grant, staff)
    return True


@transaction.atomic
def decline_signup_grant(grant: SignupGrant, *, staff: User) -> bool:
    """Also for later accounts of the mailbox. False when it was decided before."""
    if not grant.decide(SignupGrantStatus.DECLINED, staff=staff):
        return False
    _record_decision(AuditAct.SIGNUP_CREDITS_DECLINED, grant, staff)
    return True


def _record_decision(act: AuditAct, grant: SignupGrant, staff: User) -> None:
    audit_log.record(
        act, account_id=grant.account_id, user_id=staff.pk, credits=grant.credits, reference=_reference(grant)
    )


def close_signup_grants(account_id: UUID) -> None:
    """Declines an erased account's waiting grant; the mailbox's row stays."""
    waiting = SignupGrant.objects.filter(account=account_id, status=SignupGrantStatus.WAITING)
    waiting.update(status=SignupGrantStatus.DECLINED, decided_at=database_clock.now())
