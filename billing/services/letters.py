"""Mails about money: owed from the transaction of what they tell, sent afterwards, once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F
from django.utils import timezone

from accounts.contacts import owners_of
from billing import jobs, mail
from billing.enums import LetterKind
from billing.gateway.errors import BillingError
from billing.models import Letter
from genvid.jobs import enqueue, enqueue_on_commit

logger = structlog.get_logger(__name__)
LEASE = timedelta(seconds=120)
TRIES = 8
A_SWEEP = 200
KEPT = timedelta(days=90)


def write(kind: LetterKind, reference: str, *, account_id: UUID | None, **words: Any) -> None:
    """Owe a letter; one for each kind and reference, however often this is called. To staff without an account.

    Call it in the transaction of what it tells. `words`: plain values and ids; the text is made when it is sent.
    """
    letter, is_new = Letter.objects.get_or_create(
        kind=kind, reference=reference, defaults={"account_id": account_id, "words": words}
    )
    if is_new:
        enqueue_on_commit(jobs.SEND_LETTER, str(letter.pk))


def alarm(reference: str, text: str) -> None:
    """Tell staff, once for each reference, and the log."""
    logger.error("billing_alarm", reference=reference, text=text)
    write(LetterKind.STAFF_ALARM, reference, account_id=None, text=text)


KEY_REFUSED = frozenset({"bad_key", "not_permitted"})


def alarm_of_key(error: BillingError) -> None:
    """Tell staff, once a day, where Stripe refuses our key: nothing is heard of payments until they mend it."""
    if error.code in KEY_REFUSED:
        text = f"Stripe refuses STRIPE_SECRET_KEY ({error}). Payments are not recorded until it is replaced."
        alarm(f"stripe-key:{error.code}:{timezone.now():%Y-%m-%d}", text)


def send(pk: int) -> bool:
    """Send what is due. A worker that dies on the way leaves it due after the lease: rather twice than never."""
    now = timezone.now()
    claimed = Letter.objects.filter(pk=pk, due_at__lte=now).update(due_at=now + LEASE, tries=F("tries") + 1)
    if claimed != 1:
        return False
    letter = Letter.objects.get(pk=pk)
    try:
        if addresses := _addresses(letter):
            subject, text = mail.compose(letter)
            send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, addresses)
    except Exception as error:  # noqa: BLE001 - each mail service has its own errors, and none may be tried for ever
        return _put_off(letter, error)
    Letter.objects.filter(pk=pk).update(due_at=None, sent_at=timezone.now())
    return True


def _addresses(letter: Letter) -> list[str]:
    if letter.account_id is None:
        return list(settings.ALARM_EMAILS)
    return owners_of(letter.account_id, for_notice=letter.kind == LetterKind.CREDITS_LOW)


def _put_off(letter: Letter, error: Exception) -> bool:
    is_last = letter.tries >= TRIES
    log, event = (logger.error, "letter_given_up") if is_last else (logger.warning, "letter_put_off")
    log(event, kind=letter.kind, reference=letter.reference, error=repr(error))
    due_at = None if is_last else timezone.now() + timedelta(seconds=30 * 2**letter.tries)
    Letter.objects.filter(pk=letter.pk).update(due_at=due_at)
    return False


def sweep() -> int:
    due = Letter.objects.filter(due_at__lte=timezone.now()).order_by("due_at").values_list("pk", flat=True)[:A_SWEEP]
    for pk in due:
        enqueue(jobs.SEND_LETTER, str(pk))
    return len(due)


def forget_old() -> int:
    return Letter.objects.filter(due_at=None, created_at__lt=timezone.now() - KEPT).delete()[0]
