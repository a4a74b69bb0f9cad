"""What is kept for a while, and then no longer. docs/privacy.md lists it all."""

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
from genvid.batched_rows import delete_in_batches

IDEMPOTENCY_RETENTION = timedelta(hours=24)
SESSION_RETENTION = timedelta(days=30)
EVENT_RETENTION = timedelta(days=30)


def delete_expired() -> None:
    """Delete everything of accounts that has outlived its retention."""
    delete_idempotency_records()
    delete_ended_sessions()
    delete_known_networks()
    delete_webhook_events()
    delete_invitations()
    audit_log.delete_old_entries()


def delete_idempotency_records() -> None:
    """Idempotency keys and the answers under them."""
    delete_in_batches(IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - IDEMPOTENCY_RETENTION))


def delete_ended_sessions() -> None:
    """With the addresses they came from."""
    then = timezone.now() - SESSION_RETENTION
    delete_in_batches(Session.objects.filter(Q(expires_at__lt=then) | Q(revoked_at__lt=then)))


def delete_known_networks() -> None:
    """Where people used to sign in from."""
    delete_in_batches(KnownNetwork.objects.filter(last_used_at__lt=timezone.now() - KNOWN_NETWORK_RETENTION))


def delete_invitations() -> None:
    """Once expired: the address may be of somebody who never had anything to do with us."""
    delete_in_batches(Invitation.objects.filter(expires_at__lt=timezone.now()))


def delete_webhook_events() -> None:
    """Events after `KEEP_EVENTS`, with all that was tried to deliver them; then removed endpoints too."""
    then = timezone.now() - EVENT_RETENTION
    delete_in_batches(OutgoingEvent.objects.filter(created_at__lt=then))
    gone = WebhookEndpoint.objects.filter(deleted_at__lt=then)
    delete_in_batches(gone.exclude(pk__in=Delivery.objects.values("endpoint")))
