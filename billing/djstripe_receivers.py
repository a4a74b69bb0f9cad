"""What dj-stripe has verified, stored and mirrored is heard of here, inside the transaction that stores it."""

from typing import Any

from django.db import connection
from django.dispatch import receiver
from djstripe.models import Event, WebhookEventTrigger
from djstripe.signals import WEBHOOK_SIGNALS, webhook_pre_process

from billing.stripe.webhook_endpoint import EVENT_TYPES
from billing.stripe_sync import sync_queue


@receiver(webhook_pre_process, sender=WebhookEventTrigger)
def lock_event(instance: WebhookEventTrigger, **_: Any) -> None:
    """Of copies of one event that arrive together, one is worked on at a time.

    dj-stripe asks whether it knows the event, then stores it; a copy that slips in between runs all handlers again.
    SQLite takes the write lock at BEGIN, so there it cannot happen.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [instance.json_body["id"]])


@receiver([WEBHOOK_SIGNALS[kind] for kind in EVENT_TYPES], sender=Event)
def request_sync_for_event(event: Event, **_: Any) -> None:
    """A row that says where to look, kept or lost together with the event. Whatever it raises, Stripe sends again."""
    sync_queue.request_sync_for_event(event.type, event.data["object"])
