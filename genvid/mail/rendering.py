"""Renders a mail's subject, text and HTML from one template per kind and language.

`accounts.verification` has `accounts/mail/verification.txt`, in German `verification.de.txt`. Its first line is the
subject. The rest is rendered as text, and escaped as paragraphs of `genvid/mail/layout.html`.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context, Engine
from django.template.base import Template
from django.utils import translation
from django.utils.html import linebreaks
from django.utils.safestring import mark_safe

from genvid import brand
from genvid.mail.composing import Message, Recipient


def render(kind: str, message: Message) -> list[EmailMultiAlternatives]:
    return [
        _render(_template(kind, language), message.context | {"language": language}, addresses)
        for language, addresses in _by_language(message.to).items()
    ]


def _by_language(recipients: Iterable[Recipient]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for email, tag in recipients:
        found[_language_of(tag)].append(email)
    return found


def _language_of(tag: str) -> str:
    """The supported language closest to a tag such as `de-AT`."""
    try:
        return translation.get_supported_language_variant(tag.lower())
    except LookupError:
        return settings.LANGUAGE_CODE


def _template(kind: str, language: str) -> Template:
    app, _, name = kind.rpartition(".")
    base = f"{app or 'genvid'}/mail/{name}"
    return Engine.get_default().select_template([f"{base}.{language}.txt", f"{base}.txt"])


def _render(template: Template, values: dict[str, Any], addresses: list[str]) -> EmailMultiAlternatives:
    values |= brand.context() | {"site": settings.PUBLIC_URL}
    with translation.override(values["language"]):
        subject, _, text = template.render(Context(values, autoescape=False)).partition("\n")
        _, _, escaped = template.render(Context(values, autoescape=True)).partition("\n")
    # A line break in a value would end the header.
    subject = " ".join(subject.split())
    body = mark_safe(linebreaks(escaped.strip()))  # noqa: S308 - escaped by its template
    html = Engine.get_default().get_template("genvid/mail/layout.html")
    mail = EmailMultiAlternatives(subject, text.strip() + _signature(), settings.DEFAULT_FROM_EMAIL, addresses)
    # Suppresses automatic replies (RFC 3834).
    mail.extra_headers = {"Auto-Submitted": "auto-generated"}
    mail.reply_to = [settings.SUPPORT_EMAIL] if settings.SUPPORT_EMAIL else []
    mail.attach_alternative(html.render(Context(values | {"subject": subject, "body": body})), "text/html")
    return mail


def _signature() -> str:
    return f"\n\n-- \n{settings.BRAND_NAME}\n{settings.SUPPORT_EMAIL}\n" if settings.SUPPORT_EMAIL else "\n"
