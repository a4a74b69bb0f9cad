"""Our webhook endpoint for Stripe: URL, dj-stripe's rows of deliveries and events, and their retention."""

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

from billing.stripe.event_types import EVENT_TYPES
from genvid.batched_rows import delete_in_batches

SIGNATURE_TOLERANCE = 300  # seconds, the default of Stripe's libraries
FORGERY_RETENTION = timedelta(days=3)
DELIVERY_RETENTION = timedelta(days=30)
EVENT_RETENTION = timedelta(days=90)
"""Longer than Stripe resends an event: 3 days automatically, 30 days by hand."""
MIRROR_RETENTION = timedelta(days=400)
MIRRORED_PAYMENTS = (
    *("Session", "PaymentIntent", "Charge", "Invoice", "InvoiceItem", "LineItem", "BalanceTransaction"),
    *("Refund", "Dispute", "EarlyFraudWarning"),
)
"""dj-stripe's models that grow with every payment. What their rows take with them belongs to them alone."""


def webhook_url() -> str:
    """Does not change when the endpoint is registered."""
    return f"{settings.PUBLIC_URL}{reverse('stripe-webhook', args=[_uuid()])}"


def has_secret(endpoint_id: str) -> bool:
    return _ours().filter(id=endpoint_id).exclude(secret="").exists()


def save_endpoint(endpoint_id: str, secret: str) -> WebhookEndpoint:
    """Replaces the row of a former endpoint, with its URL."""
    values = {
        "djstripe_uuid": _uuid(),
        "url": webhook_url(),
        "secret": secret,
        "enabled_events": list(EVENT_TYPES),
        "api_version": settings.STRIPE_API_VERSION,
        "livemode": settings.STRIPE_LIVE_MODE,
        "status": "enabled",
        "djstripe_validation_method": "verify_signature",
        "djstripe_tolerance": SIGNATURE_TOLERANCE,
    }
    with transaction.atomic():
        _ours().exclude(id=endpoint_id).delete()
        return WebhookEndpoint.objects.update_or_create(id=endpoint_id, defaults=values)[0]


def purge_expired(now: datetime) -> None:
    purge_triggers(now)
    purge_events(now)
    purge_mirror(now)


def purge_triggers(now: datetime) -> int:
    triggers = WebhookEventTrigger.objects.all()
    forged = delete_in_batches(triggers.filter(valid=False, created__lt=now - FORGERY_RETENTION))
    return forged + delete_in_batches(triggers.filter(created__lt=now - DELIVERY_RETENTION))


def purge_events(now: datetime) -> int:
    return delete_in_batches(Event.objects.filter(djstripe_created__lt=now - EVENT_RETENTION))


def purge_mirror(now: datetime) -> int:
    """Payments, of which our own rows stay. Customers, subscriptions and prices are few, and staff look at them."""
    models = [apps.get_model("djstripe", name) for name in MIRRORED_PAYMENTS]
    old = [model._default_manager.filter(djstripe_updated__lt=now - MIRROR_RETENTION) for model in models]
    return sum(delete_in_batches(rows) for rows in old)


def delete_customer_mirror(customer_id: str) -> None:
    """Deletes dj-stripe's rows of a customer and the events about them. Safe to repeat."""
    events = Event.objects.filter(Q(data__object__customer=customer_id) | Q(data__object__id=customer_id))
    delete_in_batches(WebhookEventTrigger.objects.filter(body__contains=customer_id))
    delete_in_batches(events)
    for model in apps.get_app_config("djstripe").get_models():
        if model is not Customer and any(field.name == "customer" for field in model._meta.fields):
            delete_in_batches(model._default_manager.filter(customer__id=customer_id))
    Customer.objects.filter(id=customer_id).delete()


def _uuid() -> UUID:
    """Without a row, derived from this installation's secret."""
    known = _ours().values_list("djstripe_uuid", flat=True).first()
    own = salted_hmac("billing.stripe_webhook", str(settings.STRIPE_LIVE_MODE), algorithm="sha256")
    return known or UUID(bytes=own.digest()[:16], version=4)


def _ours() -> QuerySet[Any]:
    rows: QuerySet[Any] = WebhookEndpoint.objects.filter(livemode=settings.STRIPE_LIVE_MODE)
    return rows
