"""Admin pages of received Stripe events, without bodies and headers, which hold personal data."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.utils.timezone import localtime

from billing import money
from billing.models import Checkout, Customer, Invoice, Payment, Subscription
from billing.stripe.dashboard import dashboard_url
from genvid.admin import ReadOnlyAdmin
from genvid.panels import Cell, label, link, link_to, linked

OURS: Mapping[str, tuple[type[Any], str]] = {
    "checkout.session": (Checkout, "stripe_session_id"),
    "customer": (Customer, "stripe_customer_id"),
    "invoice": (Invoice, "stripe_invoice_id"),
    "payment_intent": (Payment, "stripe_payment_intent_id"),
    "charge": (Payment, "stripe_charge_id"),
    "subscription": (Subscription, "stripe_subscription_id"),
}
"""Which row of ours is about an object of Stripe's. Refunds and disputes lead to the payment of their charge."""
GOOD, BAD = (
    ("succeeded", "paid", "complete", "active", "won"),
    ("failed", "canceled", "lost", "unpaid", "uncollectible"),
)


@admin.register(apps.get_model("djstripe", "Event"))
class EventAdmin(ReadOnlyAdmin):
    list_display = ("created", "type", "amount", "state", "about", "livemode")
    list_filter = ("type", "created")
    search_fields = ("id", "type")
    fields = (
        *("id", "type", "amount", "state", "about", "customer", "ours", "at_stripe", "created", "djstripe_created"),
        *("livemode", "api_version", "request_id"),
    )
    readonly_fields = ("amount", "state", "about", "customer", "ours", "at_stripe")
    ordering = ("-djstripe_id",)

    @admin.display(description="About")
    def about(self, event: Any) -> str:
        return str(_object(event).get("id", ""))

    @admin.display(description="Amount")
    def amount(self, event: Any) -> str:
        about = _object(event)
        found = next((about[name] for name in ("amount", "amount_total", "amount_paid") if name in about), None)
        currency = about.get("currency")
        return money.money_text(found, currency) if isinstance(found, int) and currency else "-"

    @admin.display(description="State")
    def state(self, event: Any) -> Cell:
        said = str(_object(event).get("status") or "")
        return label(said, "success" if said in GOOD else "danger" if said in BAD else "") if said else "-"

    @admin.display(description="Customer")
    def customer(self, event: Any) -> Cell:
        about = _object(event)
        known = Customer.objects.filter(stripe_customer_id=about.get("customer") or about.get("id")).first()
        return link_to(known and known.account) or "-"

    @admin.display(description="Our row")
    def ours(self, event: Any) -> Cell:
        about = _object(event)
        kind, object_id = about.get("object", ""), about.get("id")
        if kind in ("refund", "dispute"):
            kind, object_id = "charge", about.get("charge")
        if kind not in OURS:
            return "-"
        model, column = OURS[kind]
        return link_to(model.objects.filter(**{column: object_id}).first()) or "-"

    @admin.display(description="At Stripe")
    def at_stripe(self, event: Any) -> Cell:
        url = dashboard_url("events", event.id)
        return link("Open", url) if url else "-"


@admin.register(apps.get_model("djstripe", "WebhookEventTrigger"))
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("when", "outcome", "valid", "processed", "exception", "event_link")
    event_link = linked("event")
    list_filter = ("valid", "processed", "created")
    search_fields = ("event__id", "exception")
    list_select_related = ("event",)
    fields = ("created", "valid", "processed", "event", "webhook_endpoint", "exception", "traceback")
    ordering = ("-id",)

    @admin.display(description="Received", ordering="created")
    def when(self, delivery: Any) -> str:
        return f"{localtime(delivery.created):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Outcome")
    def outcome(self, delivery: Any) -> Cell:
        if delivery.exception:
            return label("failed", "danger")
        return (
            label("worked off", "success")
            if delivery.processed
            else label("refused" if not delivery.valid else "waits")
        )


def _object(event: Any) -> Mapping[str, Any]:
    found = (event.data or {}).get("object", {})
    return found if isinstance(found, Mapping) else {}
