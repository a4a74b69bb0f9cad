"""Deletes rows of accounts after their retention (docs/privacy.md)."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts import audit_log
from accounts.auth.throttling import KNOWN_NETWORK_RETENTION
from accounts.models import (
    Delivery,
    IdempotencyRecord,
    Invitation,
    KnownNetwork,
    OutgoingEvent,
    Session,
    WebhookEndpoint,
)
from accounts.moderation import reviews
from genvid.batched_rows import delete_in_batches

IDEMPOTENCY_RETENTION = timedelta(hours=24)
SESSION_RETENTION = timedelta(days=30)
EVENT_RETENTION = timedelta(days=30)


def delete_expired() -> None:
    delete_idempotency_records()
    delete_ended_sessions()
    delete_known_networks()
    delete_webhook_events()
    delete_invitations()
    reviews.delete_old()
    audit_log.delete_old_entries()


def delete_idempotency_records() -> None:
    delete_in_batches(IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - IDEMPOTENCY_RETENTION))


def delete_ended_sessions() -> None:
    then = timezone.now() - SESSION_RETENTION
    delete_in_batches(Session.objects.filter(Q(expires_at__lt=then) | Q(revoked_at__lt=then)))


def delete_known_networks() -> None:
    delete_in_batches(KnownNetwork.objects.filter(last_used_at__lt=timezone.now() - KNOWN_NETWORK_RETENTION))


def delete_invitations() -> None:
    delete_in_batches(Invitation.objects.filter(expires_at__lt=timezone.now()))


def delete_webhook_events() -> None:
    then = timezone.now() - EVENT_RETENTION
    delete_in_batches(OutgoingEvent.objects.filter(created_at__lt=then))
    gone = WebhookEndpoint.objects.filter(deleted_at__lt=then)
    delete_in_batches(gone.exclude(pk__in=Delivery.objects.values("endpoint")))
