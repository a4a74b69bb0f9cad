"""Checks of the doctor: the mail server."""

from collections.abc import Iterator

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError

from genvid.doctor import Check, Finding, check, failed, ok, warning
from genvid.mail.models import QueuedMail

FILES = ("filebased", "console", "dummy", "locmem")
ADVICE = "Check EMAIL_URL: host, port, user, password (percent-encoded), and smtp+tls or smtp+ssl."


def reaches_nobody() -> bool:
    return any(word in settings.EMAIL_BACKEND.lower() for word in FILES)


@check("mail", seconds=25, advice=ADVICE, outside=True)
def ask_mail() -> Iterator[Finding]:
    if reaches_nobody():
        found = f"mail goes nowhere ({settings.EMAIL_BACKEND.rsplit('.', 2)[-2]})"
        advice = "Set EMAIL_URL: nobody can confirm an address, so nobody can order."
        yield ok(f"{found}, as `make run` means it") if settings.EMBEDDED else failed(found, advice)
        return
    with get_connection():
        yield ok(f"{settings.EMAIL_HOST or settings.EMAIL_BACKEND} takes our login")
    if settings.DEFAULT_FROM_EMAIL.rstrip(">").endswith("@localhost"):
        yield warning("mail is sent from @localhost", "Set DEFAULT_FROM_EMAIL to an address that your server may send.")
    if not settings.ALARM_EMAILS:
        yield warning("ALARM_EMAILS is empty", "Set it, or nobody hears when only staff can help.")


@check("mail", seconds=12, advice="It cannot be told without the database.")
def ask_outbox() -> Iterator[Finding]:
    """Nothing without a database: its own part tells that."""
    try:
        waiting = QueuedMail.objects.filter(sent_at=None, given_up_at=None, attempts__gt=3).count()
    except DatabaseError:
        return
    if waiting:
        yield warning(f"{waiting} mails were refused more than three times", "The log says why: `mail_retried_later`.")


def send_test_mail() -> Iterator[Finding]:
    if not settings.ALARM_EMAILS:
        yield failed("no mail was sent: ALARM_EMAILS is empty", "Set ALARM_EMAILS.")
        return
    text = f"{settings.PUBLIC_URL} can send mail. `manage.py doctor --mail` sent this."
    with get_connection() as server:
        sent = EmailMessage("Test mail", text, to=settings.ALARM_EMAILS, connection=server).send()
    told = ", ".join(settings.ALARM_EMAILS)
    yield ok(f"a mail went to {told}") if sent else failed(f"no mail went to {told}", ADVICE)


TEST_MAIL = Check("mail", send_test_mail, seconds=40, advice=ADVICE, is_outside=True)
"""Not registered: it runs on request alone."""
