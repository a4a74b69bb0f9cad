"""Erases the personal data of accounts and people in this app. Safe to repeat and to interrupt."""

import uuid
from typing import Any
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from accounts.models import (
    Account,
    ApiKey,
    AuditEntry,
    Authenticator,
    EventCounter,
    Export,
    IdempotencyRecord,
    Invitation,
    KnownNetwork,
    Membership,
    ModeratedAccount,
    OutgoingEvent,
    RecoveryCode,
    ReviewedText,
    Session,
    User,
    WebhookEndpoint,
)
from accounts.privacy import exports
from genvid.batched_rows import delete_in_batches, update_in_batches
from genvid.mail import outbox

Rows = QuerySet[Any]
ERASED = "Erased"
PERSON_MODELS: list[type[Any]] = [Session, KnownNetwork, Membership, Export, Authenticator, RecoveryCode]
ACCOUNT_MODELS: list[type[Any]] = [
    *(OutgoingEvent, WebhookEndpoint, EventCounter, IdempotencyRecord, ApiKey, Session, Invitation),
    *(ReviewedText, ModeratedAccount),
]
"""Models whose rows are deleted. A test lists every model that refers to a user or an account."""


def anonymise_account(account_id: UUID) -> None:
    """Keeps the row, the redacted audit log, and what the ledger refers to."""
    for model in ACCOUNT_MODELS:
        delete_in_batches(model._default_manager.filter(account=account_id))
    outbox.delete_mails_about(account=account_id)
    _redact_audit_entries(AuditEntry.objects.filter(account=account_id))
    redact_admin_log(Account, [account_id])
    Account.objects.filter(pk=account_id).update(name=ERASED)


def delete_exports_of(user_id: UUID) -> None:
    """Call it outside a transaction: it deletes files."""
    for export in Export.objects.filter(user=user_id):
        exports.delete_export(export)


def anonymise_person(user: User) -> None:
    """Keeps the row, with blank fields, for the rows that refer to it."""
    for model in PERSON_MODELS:
        model._default_manager.filter(user=user.pk).delete()
    Invitation.objects.filter(email=user.email).delete()
    outbox.delete_mails_about(person=user.pk, address=user.email)
    _redact_audit_entries(AuditEntry.objects.filter(user=user.pk))
    _redact_audit_entries(AuditEntry.objects.filter(detail__icontains=user.email))
    redact_admin_log(User, [user.pk], mentioning=user.email)
    user.groups.clear()
    user.user_permissions.clear()
    blank_user = User(email=f"erased-{uuid.uuid4()}@invalid", is_active=False)
    blank_user.set_unusable_password()
    kept = {"id", "created_at"}
    blank = {
        field.attname: getattr(blank_user, field.attname)
        for field in User._meta.concrete_fields
        if field.name not in kept
    }
    User.objects.filter(pk=user.pk).update(**blank)


def _redact_audit_entries(entries: Rows) -> None:
    """Keeps user, action and time; removes address, user agent and detail."""
    dirty = Q(address__isnull=False) | ~Q(user_agent="") | ~Q(detail={})
    update_in_batches(entries.filter(dirty), address=None, user_agent="", detail={})


def redact_admin_log(model: type[Model], pks: list[UUID], *, mentioning: str = "") -> None:
    """Remove names and messages from Django's admin log of these rows; user and time stay."""
    of_rows = Q(content_type=ContentType.objects.get_for_model(model), object_id__in=[str(pk) for pk in pks])
    if mentioning:
        of_rows |= Q(object_repr__icontains=mentioning) | Q(change_message__icontains=mentioning)
    LogEntry.objects.filter(of_rows).update(object_repr=ERASED, change_message="")
