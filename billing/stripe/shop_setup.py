"""Products, prices, the customer portal and our webhook endpoint at Stripe. All functions raise BillingError.

Updates have a new Idempotency-Key each time: Stripe would answer a repeated key without carrying out the update.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.conf import settings

from billing.stripe.stripe_client import delete, get, list_all, post
from billing.stripe.stripe_errors import BillingError

PORTAL_NAME = "genvid"


def create_product(*, plan_id: str, name: str, key: str) -> str:
    made = post("products", key=key, name=name, metadata={"plan_id": plan_id})
    return str(made["id"])


def update_product(product_id: str, *, name: str, is_active: bool) -> None:
    post(f"products/{product_id}", key=str(uuid4()), name=name, active=is_active)


def create_price(
    *, product_id: str, amount: int, currency: str, interval: str, metadata: Mapping[str, str], key: str
) -> str:
    recurring = {"recurring": {"interval": interval}} if interval else {}
    made = post(
        "prices",
        key=key,
        product=product_id,
        unit_amount=amount,
        currency=currency,
        metadata=dict(metadata),
        **recurring,
    )
    return str(made["id"])


def retire_price(price_id: str) -> None:
    """Subscribers keep the price. A missing price is no error."""
    try:
        post(f"prices/{price_id}", key=str(uuid4()), active=False)
    except BillingError as error:
        if error.code != "not_found":
            raise


def has_price(price_id: str) -> bool:
    """False for a price of another mode or account."""
    try:
        get(f"prices/{price_id}")
    except BillingError as error:
        if error.code != "not_found":
            raise
        return False
    return True


def ensure_portal(products: Mapping[str, Sequence[str]]) -> str:
    """`products`: price ids by product id. Returns the configuration's id."""
    found = next(
        (
            each
            for each in list_all("billing_portal/configurations")
            if (each.get("metadata") or {}).get("by") == "genvid"
        ),
        None,
    )
    path = f"billing_portal/configurations/{found['id']}" if found else "billing_portal/configurations"
    made = post(
        path,
        key=str(uuid4()),
        business_profile={"headline": PORTAL_NAME},
        default_return_url=settings.PUBLIC_URL + "/",
        features=_portal_features(products),
        metadata={"by": "genvid"},
    )
    return str(made["id"])


def _portal_features(products: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        "customer_update": {"enabled": True, "allowed_updates": ["email", "address", "tax_id"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": {
            "enabled": bool(products),
            "default_allowed_updates": ["price"],
            # Invoiced at once, because an upgrade's credits come with its payment.
            "proration_behavior": "always_invoice",
            "products": [{"product": product, "prices": list(prices)} for product, prices in products.items()],
        },
    }


def find_endpoint(url: str) -> str:
    return next((str(each["id"]) for each in list_all("webhook_endpoints") if each["url"] == url), "")


def create_endpoint(url: str, events: Sequence[str]) -> tuple[str, str]:
    """Returns id and signing secret, which Stripe shows only once."""
    made = post(
        "webhook_endpoints",
        key=str(uuid4()),
        url=url,
        enabled_events=list(events),
        api_version=settings.STRIPE_API_VERSION,
        description="genvid",
    )
    return str(made["id"]), str(made["secret"])


def update_endpoint(endpoint_id: str, events: Sequence[str]) -> None:
    post(f"webhook_endpoints/{endpoint_id}", key=str(uuid4()), enabled_events=list(events), disabled=False)


def delete_endpoint(endpoint_id: str) -> None:
    delete(f"webhook_endpoints/{endpoint_id}")
