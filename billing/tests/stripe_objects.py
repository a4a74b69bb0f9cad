"""Rows of dj-stripe as its webhook view leaves them, with the personal data that Stripe sends along."""

from itertools import count
from typing import Any

from django.apps import apps
from django.utils import timezone

PERSONAL = {
    "email": "buyer@example.org",
    "name": "Bea Buyer",
    "phone": "+49 30 123456",
    "receipt_email": "buyer@example.org",
    "receipt_url": "https://pay.stripe.com/receipts/secret",
    "client_secret": "pi_1_secret_2",
    "hosted_invoice_url": "https://invoice.stripe.com/i/secret",
    "billing_details": {"name": "Bea Buyer", "address": {"line1": "Main Street 1"}},
    "card": {"last4": "4242", "fingerprint": "fp_1"},
}
_numbers = count(1)
COLUMNS: dict[str, dict[str, Any]] = {
    "Charge": {"amount": "12.00", "currency": "usd", "status": "succeeded"},
    "Refund": {"amount": 300, "currency": "usd"},
    "Price": {"active": True, "currency": "usd"},
    "Product": {"name": "Pack"},
}


def make_copy(name: str, stripe_id: str = "", **related: Any) -> Any:
    """A row of dj-stripe's model `name`, with rows of what it cannot be without."""
    model: Any = apps.get_model("djstripe", name)
    stripe_id = stripe_id or f"{name.lower()}_{next(_numbers)}"
    for field in model._meta.concrete_fields:
        if field.is_relation and not field.null and field.name not in related:
            related[field.name] = make_copy(field.related_model.__name__)
    said = PERSONAL | {"id": stripe_id, "amount": 1200, "currency": "usd", "status": "succeeded"}
    own = {"id": stripe_id, "created": timezone.now(), "livemode": False, "stripe_data": said}
    return model.objects.create(**own | COLUMNS.get(name, {}) | related)
