"""Writes mails into the outbox and deletes them. `genvid.mail.delivery` sends them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from genvid.jobs import enqueue_on_commit
from genvid.mail import jobs
from genvid.mail.models import QueuedMail

RETENTION = timedelta(days=30)
"""Of mails that were sent or given up: kind, ids and moments."""
KEY_RETENTION = timedelta(days=90)
"""Of mails that are written once per key."""


def write(
    kind: str, *, person: UUID | None = None, account: UUID | None = None, address: str = "", **data: Any
) -> None:
    """Queue a mail. Call it in the transaction of its reason; the statements are the same for every receiver.

    `data`: plain values and ids, never a secret.
    """
    mail = QueuedMail.objects.create(kind=kind, person=person, account=account, address=address, data=data)
    enqueue_on_commit(jobs.SEND, str(mail.pk))


def write_once(kind: str, key: str, *, account: UUID | None = None, **data: Any) -> bool:
    """Queue a mail unless one was written under `key` within KEY_RETENTION. Safe for concurrent transactions."""
    given = {"kind": kind, "account": account, "data": data}
    mail, is_new = QueuedMail.objects.get_or_create(key=key, defaults=given)
    if is_new:
        enqueue_on_commit(jobs.SEND, str(mail.pk))
    return is_new


def delete_mails_about(*, person: UUID | None = None, account: UUID | None = None, address: str = "") -> None:
    theirs = Q()
    for name, value in (("person", person), ("account", account), ("address", address)):
        theirs |= Q(**{name: value}) if value else Q()
    if theirs:
        QueuedMail.objects.filter(theirs).delete()


def prune() -> int:
    old = Q(key=None, created_at__lt=Now() - RETENTION) | Q(created_at__lt=Now() - KEY_RETENTION)
    return QueuedMail.objects.filter(old, due_at=None).delete()[0]
