"""Our webhook endpoint for Stripe: its event types, its URL, its rows in dj-stripe, and their retention.

dj-stripe keeps a row for each delivery (`WebhookEventTrigger`, genuine or not) and one for each event (`Event`).
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.crypto import salted_hmac
from djstripe.models import Customer, Event, WebhookEndpoint, WebhookEventTrigger

from genvid.batched_rows import delete_in_batches

EVENT_TYPES = (
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "charge.succeeded",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "radar.early_fraud_warning.created",
)
"""The event types that the endpoint is registered for (https://docs.stripe.com/api/events/types)."""

TOLERANCE = 300
"""Seconds that a signature is accepted; Stripe's libraries use the same."""
FORGERIES = timedelta(days=3)
DELIVERIES = timedelta(days=30)
EVENTS = timedelta(days=90)
"""Longer than Stripe resends an event: three days by itself, thirty by hand."""


def webhook_url() -> str:
    """The URL is the same before and after the endpoint is registered."""
    return f"{settings.PUBLIC_URL}{reverse('stripe-webhook', args=[_uuid()])}"


def knows(endpoint_id: str) -> bool:
    """Whether we have the signing secret of this endpoint."""
    return _ours().filter(id=endpoint_id).exclude(secret="").exists()


def endpoint_row(endpoint_id: str, secret: str) -> WebhookEndpoint:
    """Accepts what Stripe signs for this endpoint. One that replaces another takes over its URL."""
    values = {
        "djstripe_uuid": _uuid(),
        "url": webhook_url(),
        "secret": secret,
        "enabled_events": list(EVENT_TYPES),
        "api_version": settings.STRIPE_API_VERSION,
        "livemode": settings.STRIPE_LIVE_MODE,
        "status": "enabled",
        "djstripe_validation_method": "verify_signature",
        "djstripe_tolerance": TOLERANCE,
    }
    with transaction.atomic():
        _ours().exclude(id=endpoint_id).delete()
        return WebhookEndpoint.objects.update_or_create(id=endpoint_id, defaults=values)[0]


def purge(now: datetime) -> None:
    """Deletes deliveries and events past their retention."""
    purge_triggers(now)
    purge_events(now)


def purge_triggers(now: datetime) -> int:
    """Deletes deliveries, forged ones sooner. Returns how many."""
    triggers = WebhookEventTrigger.objects.all()
    forged = delete_in_batches(triggers.filter(valid=False, created__lt=now - FORGERIES))
    return forged + delete_in_batches(triggers.filter(created__lt=now - DELIVERIES))


def purge_events(now: datetime) -> int:
    """Deletes events, and with them the knowledge that they were processed. Returns how many."""
    return delete_in_batches(Event.objects.filter(djstripe_created__lt=now - EVENTS))


def delete_customer_mirror(customer_id: str) -> None:
    """Deletes dj-stripe's mirror of a customer and the events about them. Safe to repeat."""
    events = Event.objects.filter(Q(data__object__customer=customer_id) | Q(data__object__id=customer_id))
    delete_in_batches(WebhookEventTrigger.objects.filter(body__contains=customer_id))
    delete_in_batches(events)
    for model in apps.get_app_config("djstripe").get_models():
        if model is not Customer and any(field.name == "customer" for field in model._meta.fields):
            delete_in_batches(model._default_manager.filter(customer__id=customer_id))
    Customer.objects.filter(id=customer_id).delete()


def _uuid() -> UUID:
    """The endpoint's UUID; without a row, one derived from this installation's secret."""
    known = _ours().values_list("djstripe_uuid", flat=True).first()
    own = salted_hmac("billing.stripe_webhook", str(settings.STRIPE_LIVE_MODE), algorithm="sha256")
    return known or UUID(bytes=own.digest()[:16], version=4)


def _ours() -> QuerySet[Any]:
    rows: QuerySet[Any] = WebhookEndpoint.objects.filter(livemode=settings.STRIPE_LIVE_MODE)
    return rows
