"""Mails to staff at ALARM_EMAILS, and alarms, which are sent once per key."""

from datetime import date

import structlog
from django.conf import settings
from django.dispatch import Signal

from genvid.mail import outbox
from genvid.mail.composing import Message, Order, Recipient, composes
from genvid.metrics import Tally

logger = structlog.get_logger(__name__)
KIND = "staff_alarm"
alarms = Tally("genvid_staff_alarms_total", "Alarms written for staff, by their name.", ["alarm"])

raised = Signal()
"""An alarm was raised and its mail written. Sends `name`, `key` and `text`, in the transaction of the reason."""


def mail_staff(subject: str, text: str, *, link: str = "") -> None:
    """Call it in the transaction of the reason. `link`: the page to act on."""
    outbox.write(KIND, subject=subject, text=text, link=link)


def raise_alarm(name: str, key: str, *, subject: str, text: str, link: str = "") -> bool:
    """Notify staff, log and metrics once per key, in the transaction of the reason. False if raised before."""
    if not outbox.write_once(KIND, f"{name}:{key}", subject=subject, text=text, link=link):
        return False
    logger.error("staff_alarm", alarm=name, key=key, text=text)
    alarms.add(name)
    raised.send(sender=None, name=name, key=key, text=text)
    return True


def mail_given_up(day: date) -> None:
    """Once per UTC day: an outage of the mail server loses many mails."""
    raise_alarm(
        "mail_given_up",
        day.isoformat(),
        subject="Mail could not be sent",
        text="At least one mail was tried for a day and could not be sent. Look at the mail server. "
        "In the admin, mails that were given up can be sent again.",
        link=f"{settings.PUBLIC_URL}/admin/mail/queuedmail/?given_up_at__isempty=0",
    )


@composes(KIND)
def _compose(order: Order) -> Message:
    return Message([Recipient(email) for email in settings.ALARM_EMAILS], order.data)
