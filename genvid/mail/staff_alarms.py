"""Alarms for staff by mail, each told once: to ALARM_EMAILS, to the log and to the metrics."""

from datetime import date

import structlog
from django.conf import settings

from genvid.mail import outbox
from genvid.mail.composing import Message, Order, composes
from genvid.metrics import Tally

logger = structlog.get_logger(__name__)
KIND = "staff_alarm"
alarms = Tally("genvid_staff_alarms_total", "Alarms written for staff, by their name.", ["alarm"])


def raise_alarm(name: str, key: str, *, subject: str, text: str) -> bool:
    """Tell staff, once for each key, in the transaction of the reason. False when they were told."""
    if not outbox.write_once(KIND, f"{name}:{key}", subject=subject, text=text):
        return False
    logger.error("staff_alarm", alarm=name, key=key, text=text)
    alarms.add(name)
    return True


def mail_given_up(day: date) -> None:
    """Once a UTC day, however many mails it were: a mail server that is away loses them all."""
    raise_alarm(
        "mail_given_up",
        day.isoformat(),
        subject="Mail could not be sent",
        text="At least one mail was tried for a day and could not be sent. Look at the mail server and at\n"
        f"{settings.PUBLIC_URL}/admin/mail/queuedmail/?given_up_at__isempty=0\n"
        "where mails that were given up can be sent again.\n",
    )


@composes(KIND)
def _compose(order: Order) -> Message:
    return Message(f"[genvid] {order.data['subject']}", order.data["text"], list(settings.ALARM_EMAILS))
