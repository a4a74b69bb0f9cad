"""Sending what is in the outbox: claimed, composed, sent, recorded; tried for a day, then staff are told."""

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

logger = structlog.get_logger(__name__)
TRIED_FOR = timedelta(hours=24)
"""From the first attempt to the last."""
PAUSES = Backoff(first=30, most=3600)
MOST_ATTEMPTS = 60
"""About twice as many as there are in TRIED_FOR: more means that each worker died of it."""
STEPS_OF_SMTP = 12
"""Waits for the mail server in sending a mail in one language, at most; each has its own timeout."""
AT_A_SWEEP = 200


def lease() -> timedelta:
    """Longer than an attempt can last: when it is over, its worker is dead."""
    return timedelta(seconds=60 + STEPS_OF_SMTP * len(settings.LANGUAGES) * settings.EMAIL_TIMEOUT)


def send(mail_id: int) -> bool:
    """Send one mail if it is due. A worker that dies on the way leaves it due after its lease: rather twice than never.

    Nothing is sent inside a transaction: a mail server may take its time.
    """
    mail = _claim(mail_id)
    if mail is None:
        return False
    if mail.attempts > MOST_ATTEMPTS:
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
    """The mail that this worker alone may send until its lease ends; None when it is not due, or another was first."""
    tried = Coalesce(F("first_tried_at"), Now())
    found: QueuedMail | None = QueuedMail.objects.filter(pk=mail_id).claim(lease(), first_tried_at=tried)
    return found


def _record(mail: QueuedMail) -> None:
    """Nothing stays of it but its kind, whom it was about, and when."""
    if mail.finish(sent_at=Now(), address="", data={}):
        logger.info("mail_sent", mail_id=mail.pk, kind=mail.kind, attempts=mail.attempts)


def _drop(mail: QueuedMail) -> None:
    """What it was to tell is no longer so, or nobody is behind its address. Not logged: the log would say who is."""
    mail.held().delete()


def _retry_later(mail: QueuedMail, error: Exception) -> None:
    """Not the error's own words: those of a mail server may name the receiver."""
    words = type(error).__name__
    if mail.held().filter(first_tried_at__lte=from_now(-TRIED_FOR)).exists():
        _give_up(mail, words)
    elif mail.retry_later(PAUSES.delay(mail.attempts), words):
        logger.warning("mail_retried_later", mail_id=mail.pk, kind=mail.kind, attempts=mail.attempts, error=words)


def _give_up(mail: QueuedMail, why: str) -> None:
    if not mail.give_up(why, given_up_at=Now()):
        return
    logger.error("mail_given_up", mail_id=mail.pk, kind=mail.kind, attempts=mail.attempts, error=why)
    if mail.kind != staff_alarms.KIND:
        staff_alarms.mail_given_up(timezone.now().date())


def sweep() -> int:
    """Enqueue what is due, for messages that the broker lost, retries and dead workers. Returns how many."""
    return leasing.sweep(QueuedMail.objects.due(), jobs.SEND, most=AT_A_SWEEP)


def send_again(mail: QueuedMail) -> bool:
    """Staff's wish for one that was given up: due at once, and tried for another day. False when it was not."""
    given_up = QueuedMail.objects.filter(pk=mail.pk, given_up_at__isnull=False, due_at=None)
    fresh = {"due_at": Now(), "given_up_at": None, "first_tried_at": None, "attempts": 0, "error": ""}
    if given_up.update(**fresh) != 1:
        return False
    enqueue(jobs.SEND, str(mail.pk))
    return True
