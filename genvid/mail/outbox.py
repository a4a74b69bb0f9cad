"""Writing mails into the outbox, and forgetting them. Sending is `genvid.mail.delivery`."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from genvid.jobs import enqueue_on_commit
from genvid.mail import jobs
from genvid.mail.models import QueuedMail

KEPT = timedelta(days=30)
"""What is left of mails that were sent or given up: kind, ids and moments."""
KEYS_KEPT = timedelta(days=90)
"""What is left of those that are sent once."""


def write(
    kind: str, *, person: UUID | None = None, account: UUID | None = None, address: str = "", **data: Any
) -> None:
    """Owe a mail. Call it in the transaction of what the mail tells; the statements are the same for every receiver.

    `data`: plain values and ids, never a secret. Text and tokens are made by the composer of `kind` at sending.
    """
    mail = QueuedMail.objects.create(kind=kind, person=person, account=account, address=address, data=data)
    enqueue_on_commit(jobs.SEND, str(mail.pk))


def write_once(kind: str, key: str, *, account: UUID | None = None, **data: Any) -> bool:
    """Owe a mail unless one was written under `key` within KEYS_KEPT. Of many transactions at once, one writes it."""
    given = {"kind": kind, "account": account, "data": data}
    mail, is_new = QueuedMail.objects.get_or_create(key=key, defaults=given)
    if is_new:
        enqueue_on_commit(jobs.SEND, str(mail.pk))
    return is_new


def forget(*, person: UUID | None = None, account: UUID | None = None, address: str = "") -> None:
    """Delete all mails, sent or not, to or about this person, account or address."""
    theirs = Q()
    for name, value in (("person", person), ("account", account), ("address", address)):
        theirs |= Q(**{name: value}) if value else Q()
    if theirs:
        QueuedMail.objects.filter(theirs).delete()


def prune() -> int:
    """Delete what has been sent or given up long ago. Returns how many."""
    old = Q(key=None, created_at__lt=Now() - KEPT) | Q(created_at__lt=Now() - KEYS_KEPT)
    return QueuedMail.objects.filter(old, due_at=None).delete()[0]
