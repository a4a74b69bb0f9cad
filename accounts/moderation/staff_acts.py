"""Acts of staff on reviewed texts and on the checks of an account. Each is an entry of the audit log."""

from uuid import UUID

from django.db import transaction

from accounts import audit_log
from accounts.enums import AuditAct, MailKind, ReviewState, Strictness
from accounts.models import Account, ModeratedAccount, ReviewedText
from accounts.moderation.refusals import lock_row
from genvid import database_clock
from genvid.errors import InvalidState
from genvid.mail import outbox


@transaction.atomic
def decide(text: ReviewedText, state: ReviewState, *, staff_id: UUID, token: UUID, answer: str = "") -> None:
    """Whoever sent the text gets a mail.

    Raises AlreadyDone for a repeated `token`, InvalidState where another member of staff decided the same.
    """
    act = AuditAct.STAFF_TEXT_ALLOWED if state == ReviewState.ALLOWED else AuditAct.STAFF_TEXT_REFUSED
    audit_log.record_once(act, token, staff_id=staff_id, account_id=text.account_id, text=text.pk)
    other = ReviewedText.objects.filter(pk=text.pk).exclude(state=state)
    decided = {"state": state, "answer": answer, "decided_by": staff_id, "decided_at": database_clock.now()}
    if not other.update(**decided):
        raise InvalidState("Somebody has decided this already.")
    outbox.write(
        MailKind.TEXT_REVIEWED, person=text.sent_by_id, account=text.account_id, text=str(text.pk), state=state
    )


@transaction.atomic
def set_strictness(account: Account, strictness: Strictness, *, staff_id: UUID, token: UUID) -> None:
    audit_log.record_once(
        AuditAct.STAFF_STRICTNESS_CHANGED, token, staff_id=staff_id, account_id=account.pk, strictness=strictness
    )
    row = lock_row(account.pk)
    row.strictness = strictness
    row.save(update_fields=["strictness"])


@transaction.atomic
def end_slowdown(account: Account, *, staff_id: UUID, token: UUID) -> None:
    """Refusals of the last hour are forgotten, too; their sum is not."""
    audit_log.record_once(AuditAct.STAFF_SLOWDOWN_ENDED, token, staff_id=staff_id, account_id=account.pk)
    slowed = ModeratedAccount.objects.filter(pk=account.pk).exclude(blocks=0)
    if not slowed.update(blocked_until=None, blocks=0, recent=[]):
        raise InvalidState("This account is not slowed down.")
