"""Every mail of accounts, in each language: nothing that its template shows is missing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.enums import ErasureStatus, ExportStatus, MailKind, ReviewState
from accounts.models import AuditEntry, Erasure, Export, ReviewedText, User
from genvid.mail import outbox
from genvid.tests.factories import Person, make_caller, make_endpoint, make_invitation, make_teammate
from genvid.tests.mail import send_due_mail

pytestmark = pytest.mark.django_db
MISSING = "MISSING-VALUE"
SITE = "https://genvid.example"


@pytest.fixture(autouse=True)
def strict_templates(settings):
    settings.PUBLIC_URL = SITE
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [engine | {"OPTIONS": engine["OPTIONS"] | {"string_if_invalid": MISSING}}]


@pytest.fixture
def ada(owner) -> Person:
    """Somebody to whom each kind of mail could be sent now."""
    return make_teammate(owner, "owner")


def write(kind: MailKind, ada: Person) -> None:
    """Owe the mail, with all that it is about."""
    to = {"person": ada.user.pk, "account": ada.account.pk}
    soon = timezone.now() + timedelta(days=1)
    match kind:
        case MailKind.PASSWORD_RESET:
            outbox.write(kind, address=ada.user.email)
        case MailKind.TOTP_CHANGED:
            outbox.write(kind, **to, is_on=True)
        case MailKind.ENDPOINT_OFF:
            endpoint = make_endpoint(ada, enabled=False, disabled_reason="gone")
            outbox.write(kind, endpoint=str(endpoint.pk))
        case MailKind.INVITATION:
            make_invitation(ada, email="new@example.com")
        case MailKind.MEMBER_REMOVED:
            outbox.write(kind, **to | {"account": make_caller().account.pk})
        case MailKind.EXPORT_READY:
            export = Export.objects.create(user=ada.user, status=ExportStatus.READY, expires_at=soon, file="x.zip")
            outbox.write(kind, **to, export=str(export.pk))
        case MailKind.ERASURE_PLANNED | MailKind.ERASURE_WITHDRAWN:
            status = ErasureStatus.WAITING if kind == MailKind.ERASURE_PLANNED else ErasureStatus.WITHDRAWN
            erasure = Erasure.objects.create(user=ada.user, erase_after=soon, status=status)
            outbox.write(kind, **to, erasure=str(erasure.pk))
        case MailKind.TEXT_REVIEWED:
            refused = {"state": ReviewState.REFUSED, "answer": "Nothing about doubts."}
            text = ReviewedText.objects.create(account=ada.account, digest="0" * 64, text="A doubt.", **refused)
            outbox.write(kind, **to, text=str(text.pk), state=text.state)
        case MailKind.ACCESS_CHANGED:
            User.objects.filter(pk=ada.user.pk).update(is_superuser=True)
            detail = {"kind": "user", "id": str(ada.user.pk), "is_staff": "True"}
            entry = AuditEntry.objects.create(user=ada.user, act="staff.access_changed", detail=detail)
            outbox.write(kind, **to, entry=str(entry.pk))
        case _:
            outbox.write(kind, **to)


LINKS = {
    MailKind.VERIFICATION: "/?verify=",
    MailKind.PASSWORD_RESET: "/?reset=",
    MailKind.PASSWORD_CHANGED: "/?forgot\n",
    MailKind.TOTP_CHANGED: "/?forgot\n",
    MailKind.ENDPOINT_OFF: "/api/v1/webhook-endpoints/",
    MailKind.INVITATION: "/?invitation=",
    MailKind.EXPORT_READY: "/api/v1/exports/",
    MailKind.ERASURE_PLANNED: "/\n",
    MailKind.ACCESS_CHANGED: "/admin/\n",
    MailKind.TEXT_REVIEWED: "/\n",
}
"""What a mail leads to; those that are not named lead nowhere."""


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("kind", MailKind)
def test_every_mail_says_all_that_its_template_names(ada, mailoutbox, kind, language):
    User.objects.update(preferred_language=language)
    ada.user.refresh_from_db()
    write(kind, ada)
    send_due_mail(kind)
    mail = next(mail for mail in mailoutbox if {ada.user.email, "new@example.com"} & set(mail.to))
    html = mail.alternatives[0].content
    assert [MISSING in text for text in (mail.subject, mail.body, html)] == [False] * 3
    assert (f'<html lang="{language}">' in html, "None" in mail.body) == (True, False)
    assert f"{SITE}{LINKS[kind]}" in mail.body if kind in LINKS else SITE not in mail.body
