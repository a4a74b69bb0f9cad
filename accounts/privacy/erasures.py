"""Erasure of a person's data: request, withdrawal by signing in, and removal after the grace period.

Every app takes part through `accounts.signals.account_erasing`; the ledger stays, without names.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts import audit_log, jobs
from accounts.auth import credentials, sessions
from accounts.caller import Caller
from accounts.enums import OPEN_ERASURES, AuditAct, ErasureStatus, MailKind, Revocation, Role
from accounts.models import Account, ApiKey, Erasure, Invitation, Membership, User
from accounts.privacy import anonymisation
from accounts.signals import account_erasing
from genvid.errors import Conflict, InvalidCredentials, InvalidState
from genvid.jobs import enqueue_on_commit
from genvid.leasing import Backoff, from_now
from genvid.mail import outbox

logger = structlog.get_logger(__name__)
LEASE = timedelta(minutes=15)
BACKOFF = Backoff(10, most=300)


def request_erasure(caller: Caller, *, password: str) -> Erasure:
    """Raises ValidationFailed on `password`, RateLimited after too many wrong ones, and what `start_erasure` raises."""
    user = User.objects.get(pk=caller.user_id)
    credentials.confirm_identity(user, password=password)
    return start_erasure(user.pk, by=user.pk)


@transaction.atomic
def start_erasure(user_id: UUID, *, by: UUID) -> Erasure:
    """Sign the person out everywhere and schedule the erasure in ACCOUNT_ERASURE_DAYS. An open erasure is left
    unchanged.

    `by`: the person or a member of staff. Raises InvalidState for staff, and Conflict for the only owner of an account
    that has other members.
    """
    # Under the person's lock: two requests at once must not both begin one.
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    open_one = Erasure.open_of(user_id)
    if open_one is not None:
        return open_one
    check_may_be_erased(user)
    going = accounts_going_with(user_id)
    after = timezone.now() + timedelta(days=settings.ACCOUNT_ERASURE_DAYS)
    erasure = Erasure.objects.create(user=user, requested_by_id=by, erase_after=after, due_at=from_now())
    _block_sign_in(user_id, going)
    _record_in_audit_log(AuditAct.ERASURE_REQUESTED, going, erasure, by, by_staff=by != user_id)
    enqueue_on_commit(jobs.WORK_ON_ERASURE, str(erasure.pk))
    return erasure


def check_may_be_erased(user: User) -> None:
    if not user.is_active:
        raise InvalidState("This person is deactivated or erased already.")
    if user.is_staff:
        raise InvalidState("Staff are not erased; have the staff status taken away first.")
    orphaned = _orphaned_by(user.pk)
    if orphaned:
        names = ", ".join(account.name for account in orphaned)
        raise Conflict(f"You are the only owner of {names}: transfer the ownership or remove its other members first.")


def accounts_going_with(user_id: UUID) -> list[UUID]:
    """The accounts of which the person is the only member. Members who are being erased do not count."""
    mine = Membership.objects.filter(user=user_id).exclude(Exists(_others(user_id)))
    return list(mine.order_by("created_at").values_list("account", flat=True))


def _orphaned_by(user_id: UUID) -> list[Account]:
    others = _others(user_id)
    owned = Membership.objects.filter(user=user_id, role=Role.OWNER).filter(Exists(others))
    left_alone = owned.exclude(Exists(others.filter(role=Role.OWNER)))
    return list(Account.objects.filter(pk__in=left_alone.values("account")).order_by("created_at"))


def _others(user_id: UUID) -> QuerySet[Membership]:
    leaving = Erasure.objects.filter(status__in=OPEN_ERASURES).values("user")
    others = Membership.objects.filter(account=OuterRef("account"), user__is_active=True)
    return others.exclude(user=user_id).exclude(user__in=leaving)


def _block_sign_in(user_id: UUID, going: list[UUID]) -> None:
    sessions.revoke_all_sessions(user_id, Revocation.ERASURE)
    theirs = Q(created_by=user_id) | Q(account__in=going)
    ApiKey.objects.filter(theirs, revoked_at=None).update(revoked_at=timezone.now())
    # Nobody may join an account that will be erased.
    Invitation.objects.filter(account__in=going).delete()


def withdraw_erasure(user: User) -> None:
    """Call it in the transaction of a sign-in. Raises InvalidCredentials once the erasing has begun."""
    erasure = Erasure.open_of(user.pk)
    if erasure is None:
        return
    # Ignores a worker's lease: its later writes find another `due_at` and change nothing.
    waiting = Erasure.objects.filter(pk=erasure.pk, status=ErasureStatus.WAITING)
    now = timezone.now()
    if not waiting.update(status=ErasureStatus.WITHDRAWN, withdrawn_at=now, due_at=from_now(), told_at=None):
        raise InvalidCredentials
    _record_in_audit_log(AuditAct.ERASURE_WITHDRAWN, accounts_going_with(user.pk), erasure, user.pk)
    enqueue_on_commit(jobs.WORK_ON_ERASURE, str(erasure.pk))


def _record_in_audit_log(
    act: AuditAct, accounts: list[UUID], erasure: Erasure, by: UUID | None, *, by_staff: bool = False
) -> None:
    of_accounts: list[UUID | None] = [*accounts] or [None]
    for account_id in of_accounts:
        facts = {"erasure": erasure.pk, "person": erasure.user_id}
        audit_log.record(act, account_id=account_id, user_id=by, by_staff=by_staff, **facts)


def run_erasure_step(erasure_id: str) -> None:
    """Do the next step of one erasure, if it is due. Safe to repeat, to run in parallel and to interrupt."""
    erasure: Erasure | None = Erasure.objects.filter(pk=erasure_id).select_related("user").claim(LEASE)
    if erasure is None:
        return
    try:
        _advance(erasure)
    except Exception as error:  # noqa: BLE001 - a disk, a bucket, another app: the sweep tries again
        logger.warning("erasure_postponed", erasure_id=erasure_id, tries=erasure.tries, error=repr(error))
        erasure.retry_later(BACKOFF.delay(erasure.tries + 1), repr(error))


def _advance(erasure: Erasure) -> None:
    if erasure.status == ErasureStatus.ERASING or (_is_due(erasure) and _begin(erasure)):
        _erase(erasure)
    elif erasure.status == ErasureStatus.WITHDRAWN:
        _end_step_with_mail(erasure, MailKind.ERASURE_WITHDRAWN, erasure.finish)
    elif not _is_due(erasure):
        _end_step_with_mail(erasure, MailKind.ERASURE_PLANNED, partial(erasure.advance, erasure.erase_after))


def _is_due(erasure: Erasure) -> bool:
    return erasure.status == ErasureStatus.WAITING and (erasure.seconds_until("erase_after") or 0.0) <= 0


def _end_step_with_mail(erasure: Erasure, kind: MailKind, end_step: Callable[..., bool]) -> None:
    is_unmailed, told_at = erasure.told_at is None, erasure.told_at or timezone.now()
    with transaction.atomic():
        if end_step(told_at=told_at) and is_unmailed:
            outbox.write(kind, person=erasure.user_id, erasure=str(erasure.pk))


@transaction.atomic
def _begin(erasure: Erasure) -> bool:
    """Block sign-in and fix the list of accounts; cannot be withdrawn. False when it is not possible now."""
    User.objects.select_for_update(no_key=True).get(pk=erasure.user_id)
    orphaned = _orphaned_by(erasure.user_id)
    if orphaned:
        # Somebody became a member during the grace period: their account must not be erased.
        logger.error("erasure_blocked", erasure_id=str(erasure.pk), account_id=str(orphaned[0].pk))
        erasure.retry_later(timedelta(hours=1), f"Is the only owner of {orphaned[0].pk}, which has other members.")
        return False
    going = accounts_going_with(erasure.user_id)
    ids = [str(account_id) for account_id in going]
    if not erasure.extend(LEASE, status=ErasureStatus.ERASING, accounts=ids, tries=0):
        return False
    User.objects.filter(pk=erasure.user_id).update(is_active=False)
    _block_sign_in(erasure.user_id, going)
    return True


def _erase(erasure: Erasure) -> None:
    going = [UUID(account_id) for account_id in erasure.accounts]
    left = [what for account_id in going for what in _left_in_apps(account_id)]
    if left:
        _ask_again(erasure, "; ".join(left))
        return
    for account_id in going:
        anonymisation.anonymise_account(account_id)
    anonymisation.delete_exports_of(erasure.user_id)
    with transaction.atomic():
        if erasure.finish(status=ErasureStatus.DONE, erased_at=timezone.now()):
            anonymisation.anonymise_person(erasure.user)
            _record_in_audit_log(AuditAct.ERASED, going, erasure, None)
            logger.info("person_erased", erasure_id=str(erasure.pk), user_id=str(erasure.user_id))


def _ask_again(erasure: Erasure, left: str) -> None:
    logger.info("erasure_goes_on", erasure_id=str(erasure.pk), left=left)
    if left[:300] == erasure.waiting_reason:
        erasure.retry_later(BACKOFF.delay(erasure.tries + 1), left)
    else:
        erasure.retry_later(BACKOFF.delay(1), left, tries=0)


def _left_in_apps(account_id: UUID) -> list[str]:
    """What each app has left to do, in its words. An app that fails is asked again like the others."""
    answers = account_erasing.send_robust(sender=Erasure, account_id=account_id)
    return [repr(answer) if isinstance(answer, Exception) else answer for _, answer in answers if answer]
