"""Writes mails about money, once per kind and reference. `billing.mail_composers` composes them when they are sent."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from billing.enums import MailKind
from billing.models import Letter
from genvid.mail import outbox, staff_alarms

KEPT = timedelta(days=90)
BATCH_SIZE = 200


def write_mail(kind: MailKind, reference: str, *, account_id: UUID, **words: Any) -> None:
    """Mail the owners of an account, once for each kind and reference, however often this is called.

    Call it in the transaction of what it tells. `words`: plain values and ids; the text is made when it is sent.
    """
    if not _was_written(kind, reference):
        _write(kind, reference, account_id, words)


def alarm_staff(reference: str, text: str) -> None:
    """Tell staff, once for each reference, in the transaction of the reason."""
    if not _was_written(MailKind.STAFF_ALARM, reference):
        _alarm(reference, text)


def _write(kind: str, reference: str, account_id: UUID | None, words: dict[str, Any]) -> None:
    outbox.write_once(f"billing.{kind}", f"billing.{kind}:{reference}", account=account_id, **words)


def _alarm(reference: str, text: str) -> None:
    staff_alarms.raise_alarm(
        "billing", reference, subject="Billing needs your attention", text=f"{text}\n\n{reference}"
    )


# The release before kept these mails as `Letter` rows. What follows goes with the next release, and so does the model.


def _was_written(kind: str, reference: str) -> bool:
    return Letter.objects.filter(kind=kind, reference=reference).exists()


def move_letters_to_outbox() -> int:
    """Have the outbox send what the release before left unsent. Returns how many mails it was."""
    unsent = Letter.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    return sum(_move(letter) for letter in unsent[:BATCH_SIZE])


@transaction.atomic
def _move(letter: Letter) -> bool:
    """Unless a worker of the release before has it: both compare the due time that they read."""
    if Letter.objects.filter(pk=letter.pk, due_at=letter.due_at).update(due_at=None) != 1:
        return False
    if letter.kind == MailKind.STAFF_ALARM:
        _alarm(letter.reference, letter.words["text"])
    else:
        _write(letter.kind, letter.reference, letter.account_id, letter.words)
    return True


def delete_old_letters() -> int:
    return Letter.objects.filter(due_at=None, created_at__lt=timezone.now() - KEPT).delete()[0]
