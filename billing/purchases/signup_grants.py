"""Sign-up credits: once per mailbox, up to a limit per day; beyond it they wait for staff."""

from datetime import UTC, date
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import audit_log
from accounts.enums import AuditAct
from accounts.models import User
from billing import credits
from billing.enums import LotSource, SignupGrantStatus
from billing.ledger.entries import lock
from billing.models import CreditLot, SignupDay, SignupGrant
from billing.purchases import mailboxes
from genvid.mail import staff_alarms

logger = structlog.get_logger(__name__)


@transaction.atomic
def claim_signup_credits(account_id: UUID, email: str) -> None:
    """Grants the sign-up credits to the first account of a mailbox, now or once staff approve.

    Does nothing for a mailbox or account that had them. Call it in the transaction that verifies the mailbox, or that
    makes the account where no verification is required.
    """
    amount: int = settings.SIGNUP_CREDITS
    if amount <= 0:
        return
    # Under the wallet's lock: of two claims of one account at once, the second finds what the first one did.
    lock(account_id)
    if _had_them(account_id, email):
        return
    mailbox = mailboxes.digests(email)[0]
    claimed = SignupGrant(account_id=account_id, mailbox=mailbox, credits=amount)
    # Of many accounts of one mailbox at once, one makes the row; the others wait for its transaction, and make none.
    SignupGrant.objects.bulk_create([claimed], ignore_conflicts=True)
    grant = SignupGrant.objects.filter(account=account_id, mailbox=mailbox).first()
    if grant is None:
        return
    today = timezone.now().astimezone(UTC).date()
    if _take_from(today, amount):
        _give(grant)
    else:
        logger.warning("signup_credits_wait", account_id=str(account_id), credits=amount)
        _alarm(today)


def _had_them(account_id: UUID, email: str) -> bool:
    of_either = Q(account=account_id) | Q(mailbox__in=mailboxes.digests(email))
    if SignupGrant.objects.filter(of_either).exists():
        return True
    # Given before there were rows for it.
    return CreditLot.objects.filter(wallet=account_id, source=LotSource.SIGNUP).exists()


def _take_from(day: date, amount: int) -> bool:
    """Counts credits against the day's limit in one statement; False when not enough are left."""
    bound: int | None = settings.SIGNUP_CREDITS_PER_DAY
    if bound is None:
        return True
    SignupDay.objects.bulk_create([SignupDay(day=day)], ignore_conflicts=True)
    within = SignupDay.objects.filter(day=day, credits__lte=bound - amount)
    return within.update(credits=F("credits") + amount) == 1


def _give(grant: SignupGrant, *, staff: User | None = None) -> bool:
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


def _alarm(day: date) -> None:
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
    if not _give(grant, staff=staff):
        return False
    _note(AuditAct.SIGNUP_CREDITS_APPROVED, grant, staff)
    return True


@transaction.atomic
def decline_signup_grant(grant: SignupGrant, *, staff: User) -> bool:
    """Declines it, also for later accounts of the mailbox. False when it was decided before."""
    if not grant.decide(SignupGrantStatus.DECLINED, staff=staff):
        return False
    _note(AuditAct.SIGNUP_CREDITS_DECLINED, grant, staff)
    return True


def _note(act: AuditAct, grant: SignupGrant, staff: User) -> None:
    audit_log.record(
        act, account_id=grant.account_id, user_id=staff.pk, credits=grant.credits, reference=_reference(grant)
    )


def close_signup_grants(account_id: UUID) -> None:
    """Ends the waiting of an erased account; that its mailbox had its turn stays recorded."""
    waiting = SignupGrant.objects.filter(account=account_id, status=SignupGrantStatus.WAITING)
    waiting.update(status=SignupGrantStatus.DECLINED, decided_at=timezone.now())
