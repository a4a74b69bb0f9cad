"""Addresses of objects in Stripe's dashboard."""

from django.conf import settings

DASHBOARD = "https://dashboard.stripe.com"
REAL_HOST = "https://api.stripe.com"


def dashboard_url(kind: str, object_id: str | None) -> str | None:
    """The page of an object, in test mode where our key is a test key; None where another server plays Stripe.

    `kind`: "customers", "payments", "subscriptions", "invoices" or "events".
    """
    if not object_id or (settings.STRIPE_API_HOST or REAL_HOST) != REAL_HOST:
        return None
    mode = "" if settings.STRIPE_LIVE_MODE else "/test"
    return f"{DASHBOARD}{mode}/{kind}/{object_id}"
