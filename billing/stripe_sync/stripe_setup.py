"""Registers at Stripe what we sell, the customer portal and our webhook. Safe to repeat."""

import structlog
from django.utils import timezone

from billing.models import Shop
from billing.purchases import stripe_prices
from billing.stripe import shop_setup as stripe_catalogue
from billing.stripe import webhook_endpoint

logger = structlog.get_logger(__name__)


def set_up_stripe() -> str:
    """Products, prices, portal, webhook. Returns the webhook's URL. Raises BillingError."""
    count = stripe_prices.push_plans()
    portal = stripe_prices.push_portal()
    url = _register_webhook()
    Shop.objects.update_or_create(pk=1, defaults={"portal_configuration_id": portal, "set_up_at": timezone.now()})
    logger.info("stripe_set_up", plans=count, webhook=url)
    return url


def set_up_stripe_if_changed() -> None:
    """After a change of plans: updates prices and the portal. Raises BillingError."""
    stripe_prices.push_plans()
    if Shop.objects.exclude(portal_configuration_id="").exists():
        stripe_prices.push_portal()


def _register_webhook() -> str:
    """Stripe shows the signing secret only once: an endpoint whose secret is missing is created anew."""
    url = webhook_endpoint.webhook_url()
    theirs = stripe_catalogue.find_endpoint(url)
    if theirs and webhook_endpoint.knows(theirs):
        stripe_catalogue.update_endpoint(theirs, webhook_endpoint.EVENT_TYPES)
        return url
    if theirs:
        stripe_catalogue.delete_endpoint(theirs)
    made, secret = stripe_catalogue.create_endpoint(url, webhook_endpoint.EVENT_TYPES)
    webhook_endpoint.endpoint_row(made, secret)
    return url
