"""Sends the mails of the outbox: claims, composes, sends and records them; after a day of retries it notifies staff."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.core.mail import get_connection
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from genvid import leasing
from genvid.jobs import enqueue
from genvid.leasing import Backoff, from_now
from genvid.mail import jobs, staff_alarms
from genvid.mail.composing import Order, compose
from genvid.mail.models import QueuedMail
from genvid.mail.rendering import render
from genvid.metrics import Tally

logger = structlog.get_logger(__name__)
RETRY_PERIOD = timedelta(hours=24)
PAUSES = Backoff(first=30, most=3600)
MAX_ATTEMPTS = 60
"""About twice the attempts of RETRY_PERIOD: more means that workers died of it."""
MAX_SMTP_STEPS = 12
"""Most waits for the mail server in one mail; each has its own timeout."""
MAX_PER_SWEEP = 200
outcomes = Tally("genvid_mails_total", "Attempts to send mails, by kind and outcome.", ["kind", "outcome"])


def lease() -> timedelta:
    """Longer than an attempt: a worker whose lease has ended is dead."""
    return timedelta(seconds=60 + MAX_SMTP_STEPS * len(settings.LANGUAGES) * settings.EMAIL_TIMEOUT)


def send(mail_id: int) -> bool:
    """Send one mail if it is due. A worker that dies leaves it due after its lease: it may be sent twice.

    Nothing is sent inside a transaction: a mail server may be slow.
    """
    mail = _claim(mail_id)
    if mail is None:
        return False
    if mail.attempts > MAX_ATTEMPTS:
        _give_up(mail, "Every worker that tried it has died.")
        return False
    try:
        message = compose(mail.kind, Order(mail.person, mail.account, mail.address, mail.data))
        if message is None:
            _drop(mail)
            return False
        get_connection().send_messages(render(mail.kind, message))
    except Exception as error:  # noqa: BLE001 - each mail service has its own errors, and none may be tried for ever
        _retry_later(mail, error)
        return False
    _record(mail)
    return True


def _claim(mail_id: int) -> QueuedMail | None:
    tried = Coalesce(F("first_tried_at"), Now())
    found: QueuedMail | None = QueuedMail.objects.filter(pk=mail_id).claim(lease(), first_tried_at=tried)
    return found


def _record(mail: QueuedMail) -> None:
    """Keep kind, ids and moments only."""
    if mail.finish(sent_at=Now(), address="", data={}):
        outcomes.add(mail.kind, "sent")
        logger.info("mail_sent", mail_id=mail.pk, kind=mail.kind, attempts=mail.attempts)


def _drop(mail: QueuedMail) -> None:
    """Not logged: the log would reveal whether an address is known."""
    mail.held().delete()


def _retry_later(mail: QueuedMail, error: Exception) -> None:
    """Stores only the error's class: a mail server's text may name the receiver."""
    words = type(error).__name__
    if mail.held().filter(first_tried_at__lte=from_now(-RETRY_PERIOD)).exists():
        _give_up(mail, words)
    elif mail.retry_later(PAUSES.delay(mail.attempts), words):
        outcomes.add(mail.kind, "failed")
        logger.warning("mail_retried_later", mail_id=mail.pk, kind=mail.kind, attempts=mail.attempts, error=words)


def _give_up(mail: QueuedMail, why: str) -> None:
    if not mail.give_up(why, given_up_at=Now()):
        return
    outcomes.add(mail.kind, "given_up")
    logger.error("mail_given_up", mail_id=mail.pk, kind=mail.kind, attempts=mail.attempts, error=why)
    if mail.kind != staff_alarms.KIND:
        staff_alarms.mail_given_up(timezone.now().date())


def sweep() -> int:
    return leasing.sweep(QueuedMail.objects.due(), jobs.SEND, most=MAX_PER_SWEEP)


def has_due() -> bool:
    return QueuedMail.objects.due().order_by().exists()


def send_again(mail: QueuedMail) -> bool:
    """Queue a failed mail again, for staff. False if it had not failed."""
    given_up = QueuedMail.objects.filter(pk=mail.pk, given_up_at__isnull=False, due_at=None)
    fresh = {"due_at": Now(), "given_up_at": None, "first_tried_at": None, "attempts": 0, "error": ""}
    if given_up.update(**fresh) != 1:
        return False
    enqueue(jobs.SEND, str(mail.pk))
    return True
