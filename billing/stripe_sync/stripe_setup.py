"""Sets up Stripe: products, prices, customer portal, webhook endpoint. Safe to repeat."""

import structlog

from billing.models import Shop
from billing.purchases import stripe_prices
from billing.stripe import event_types, shop_setup, webhook_endpoint
from genvid import database_clock

logger = structlog.get_logger(__name__)


def set_up_stripe() -> str:
    """Returns the webhook's URL. Raises BillingError."""
    count = stripe_prices.push_plans()
    portal = stripe_prices.push_portal()
    url = _register_webhook()
    Shop.objects.update_or_create(pk=1, defaults={"portal_configuration_id": portal, "set_up_at": database_clock.now()})
    logger.info("stripe_set_up", plans=count, webhook=url)
    return url


def set_up_stripe_if_changed() -> None:
    """Updates prices, and the portal where it was set up. Raises BillingError."""
    stripe_prices.push_plans()
    if Shop.objects.exclude(portal_configuration_id="").exists():
        stripe_prices.push_portal()


def _register_webhook() -> str:
    url = webhook_endpoint.webhook_url()
    theirs = shop_setup.find_endpoint(url)
    if theirs and webhook_endpoint.has_secret(theirs):
        shop_setup.update_endpoint(theirs, event_types.EVENT_TYPES)
        return url
    if theirs:
        # Its secret is lost, and Stripe shows it only once.
        shop_setup.delete_endpoint(theirs)
    made, secret = shop_setup.create_endpoint(url, event_types.EVENT_TYPES)
    webhook_endpoint.save_endpoint(made, secret)
    return url
