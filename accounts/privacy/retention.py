"""What is kept for a while, and then no longer. docs/privacy.md lists it all."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts import audit_log
from accounts.auth.throttling import KNOWN
from accounts.models import (
    Delivery,
    IdempotencyRecord,
    Invitation,
    KnownNetwork,
    OutgoingEvent,
    Session,
    WebhookEndpoint,
)
from genvid.batched_rows import delete_in_pieces

KEEP_ANSWERS = timedelta(hours=24)
KEEP_ENDED_SESSIONS = timedelta(days=30)
KEEP_EVENTS = timedelta(days=30)


def forget_all() -> None:
    """Delete everything of accounts that has outlived its retention."""
    forget_answers()
    forget_ended_sessions()
    forget_networks()
    forget_webhooks()
    forget_invitations()
    audit_log.forget_old()


def forget_answers() -> None:
    """Idempotency keys and the answers under them."""
    delete_in_pieces(IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEEP_ANSWERS))


def forget_ended_sessions() -> None:
    """With the addresses they came from."""
    then = timezone.now() - KEEP_ENDED_SESSIONS
    delete_in_pieces(Session.objects.filter(Q(expires_at__lt=then) | Q(revoked_at__lt=then)))


def forget_networks() -> None:
    """Where people used to sign in from."""
    delete_in_pieces(KnownNetwork.objects.filter(last_used_at__lt=timezone.now() - KNOWN))


def forget_invitations() -> None:
    """Once expired: the address may be of somebody who never had anything to do with us."""
    delete_in_pieces(Invitation.objects.filter(expires_at__lt=timezone.now()))


def forget_webhooks() -> None:
    """Events after `KEEP_EVENTS`, with all that was tried to deliver them; then removed endpoints too."""
    then = timezone.now() - KEEP_EVENTS
    delete_in_pieces(OutgoingEvent.objects.filter(created_at__lt=then))
    gone = WebhookEndpoint.objects.filter(deleted_at__lt=then)
    delete_in_pieces(gone.exclude(pk__in=Delivery.objects.values("endpoint")))
