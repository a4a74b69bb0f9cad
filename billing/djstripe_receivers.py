"""Receivers of dj-stripe's signals. They run in the transaction that stores the event."""

from typing import Any

from django.db import connection
from django.dispatch import receiver
from djstripe.models import Event, WebhookEventTrigger
from djstripe.signals import WEBHOOK_SIGNALS, webhook_pre_process

from billing.stripe.event_types import EVENT_TYPES
from billing.stripe_sync import sync_queue


@receiver(webhook_pre_process, sender=WebhookEventTrigger)
def lock_event(instance: WebhookEventTrigger, **_: Any) -> None:
    """Serialises copies of one event: dj-stripe checks and then stores, so both would run all handlers."""
    # SQLite takes its write lock at BEGIN.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [instance.json_body["id"]])


@receiver([WEBHOOK_SIGNALS[kind] for kind in EVENT_TYPES], sender=Event)
def on_event(event: Event, **_: Any) -> None:
    # If this raises, the event is not stored and Stripe sends it again.
    sync_queue.request_sync_for_event(event.type, event.data["object"])
