"""Queues mails about money, once per kind and reference. Call it in the transaction that the mail reports."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.enums import MailKind
from billing.models import Letter
from genvid import database_clock
from genvid.mail import outbox, staff_alarms

FORMER_MAIL_RETENTION = timedelta(days=90)
BATCH_SIZE = 200


def write_mail(kind: MailKind, reference: str, *, account_id: UUID, **context: Any) -> None:
    """To the owners of an account. `context`: JSON values for the template; the text is composed when it is sent."""
    if not _was_written(kind, reference):
        _write(kind, reference, account_id, context)


def alarm_staff(reference: str, text: str, *, name: str = "billing") -> None:
    """Once per reference. `name`: what staff find advice under, on the page of alarms and in the runbook."""
    if not _was_written(MailKind.STAFF_ALARM, reference):
        _alarm(reference, text, name)


def _write(kind: str, reference: str, account_id: UUID | None, context: dict[str, Any]) -> None:
    outbox.write_once(f"billing.{kind}", f"billing.{kind}:{reference}", account=account_id, **context)


def _alarm(reference: str, text: str, name: str) -> None:
    staff_alarms.raise_alarm(name, reference, subject="Billing needs your attention", text=f"{text}\n\n{reference}")


# The previous release stored these mails as `Letter` rows. The next release removes the rest of this module.


def _was_written(kind: str, reference: str) -> bool:
    return Letter.objects.filter(kind=kind, reference=reference).exists()


def move_former_mails_to_outbox() -> int:
    unsent = Letter.objects.filter(due_at__lte=database_clock.now()).order_by("due_at")
    return sum(_move(former) for former in unsent[:BATCH_SIZE])


@transaction.atomic
def _move(former: Letter) -> bool:
    # A worker of the previous release claims a row by its due time too.
    if Letter.objects.filter(pk=former.pk, due_at=former.due_at).update(due_at=None) != 1:
        return False
    if former.kind == MailKind.STAFF_ALARM:
        _alarm(former.reference, former.words["text"], "billing")
    else:
        _write(former.kind, former.reference, former.account_id, former.words)
    return True


def delete_former_mails() -> int:
    return Letter.objects.filter(due_at=None, created_at__lt=database_clock.now() - FORMER_MAIL_RETENTION).delete()[0]
