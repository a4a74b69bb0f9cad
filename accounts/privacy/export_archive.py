"""Writes a person's data as a ZIP of JSON files, row by row."""

import zipfile
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import IO, Any
from uuid import UUID

from django.utils import timezone

from accounts.enums import Role
from accounts.models import (
    ApiKey,
    AuditEntry,
    Authenticator,
    Delivery,
    DeliveryAttempt,
    Erasure,
    Export,
    Invitation,
    KnownNetwork,
    Membership,
    ModeratedAccount,
    OutgoingEvent,
    ReviewedText,
    Session,
    User,
    WebhookEndpoint,
)
from accounts.privacy.data_export import plain_rows
from accounts.signals import export_requested
from genvid.api.renderers import dump
from genvid.mail.models import QueuedMail

Rows = Iterable[Mapping[str, Any]]
READ_ME = """What genvid holds on you, and on the accounts that you own, one JSON file a subject.

Times are UTC, credits are whole numbers. Passwords, keys and signing secrets are not in it.
Links to videos in videos.json are good for seven days.
"""
INTERNAL_COLUMNS = ("due_at", "tries", "waiting_reason", "file")


def parts_of(user: User) -> dict[str, Rows]:
    """Rows by file name. All but the account ids are read lazily."""
    owned = list(Membership.objects.filter(user=user, role=Role.OWNER).values_list("account", flat=True))
    parts = _person_parts(user) | _account_parts(owned)
    answers: list[Any] = export_requested.send(sender=Export, account_ids=owned)
    for _, more in answers:
        parts |= more
    return parts


def _person_parts(user: User) -> dict[str, Rows]:
    mine = Membership.objects.filter(user=user).select_related("account")
    return {
        "profile": plain_rows(User.objects.filter(pk=user.pk), without=("password",)),
        "memberships": (
            {"account_id": each.account_id, "account": each.account.name, "role": each.role, "since": each.created_at}
            for each in mine
        ),
        "invitations": plain_rows(Invitation.objects.filter(email=user.email), without=("invited_by_id",)),
        "sessions": plain_rows(Session.objects.filter(user=user), without=("jti", "previous_jti")),
        "known_networks": plain_rows(KnownNetwork.objects.filter(user=user)),
        "authenticators": plain_rows(Authenticator.objects.filter(user=user)),
        "exports": plain_rows(Export.objects.filter(user=user), without=INTERNAL_COLUMNS),
        "mails": plain_rows(QueuedMail.objects.filter(person=user.pk), without=("key", "data", *INTERNAL_COLUMNS)),
        "erasures": plain_rows(Erasure.objects.filter(user=user), without=INTERNAL_COLUMNS),
    }


def _account_parts(owned: list[UUID]) -> dict[str, Rows]:
    deliveries = Delivery.objects.filter(endpoint__account__in=owned)
    attempts = DeliveryAttempt.objects.filter(delivery__endpoint__account__in=owned)
    return {
        "audit_log": _audit_rows(owned),
        "invitations_sent": plain_rows(Invitation.objects.filter(account__in=owned)),
        "api_keys": plain_rows(ApiKey.objects.filter(account__in=owned), without=("digest",)),
        "webhook_endpoints": plain_rows(WebhookEndpoint.objects.filter(account__in=owned)),
        "webhook_events": plain_rows(OutgoingEvent.objects.filter(account__in=owned)),
        "webhook_deliveries": plain_rows(deliveries.order_by("created_at"), without=("leased_until",)),
        "webhook_attempts": plain_rows(attempts.order_by("id")),
        "text_checks": plain_rows(ModeratedAccount.objects.filter(account__in=owned)),
        "reviewed_texts": plain_rows(
            ReviewedText.objects.filter(account__in=owned), without=("decided_by_id", "sent_by_id")
        ),
    }


def _audit_rows(owned: list[UUID]) -> Rows:
    """Without the addresses and user agents of staff, as in the audit log of the API."""
    for row in plain_rows(AuditEntry.objects.filter(account__in=owned)):
        yield row | {"address": None, "user_agent": ""} if row["by_staff"] else row


def write_archive(sink: IO[bytes], parts: Mapping[str, Rows], *, after_each: Callable[[], object]) -> None:
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        _write_file(archive, "README.txt", [READ_ME.encode()])
        for name, rows in parts.items():
            _write_file(archive, f"{name}.json", _as_json(rows))
            after_each()


def _as_json(rows: Rows) -> Iterable[bytes]:
    lines = (b"%b%b" % (b",\n" if number else b"", dump(row)) for number, row in enumerate(rows))
    return chain([b"[\n"], lines, [b"\n]\n"])


def _write_file(archive: zipfile.ZipFile, name: str, chunks: Iterable[bytes]) -> None:
    head = zipfile.ZipInfo(name, timezone.now().timetuple()[:6])
    head.compress_type = zipfile.ZIP_DEFLATED
    # Without file modes, Unix unpacks the files unreadable.
    head.external_attr = 0o600 << 16
    with archive.open(head, "w", force_zip64=True) as file:
        for chunk in chunks:
            file.write(chunk)
