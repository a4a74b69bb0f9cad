"""Customers and running subscriptions, here and at Stripe. Only reads: `reconciliation` repairs."""

from collections.abc import Iterator

from billing.enums import LIVE
from billing.models import Customer, Subscription
from billing.stripe import commands, queries
from billing.stripe.stripe_errors import BillingError


def differences() -> Iterator[str]:
    """One request for each row. Raises BillingError where Stripe does not answer."""
    yield from _customers()
    yield from _subscriptions()


def _customers() -> Iterator[str]:
    for customer in Customer.objects.order_by("pk").iterator():
        named = commands.account_id_in_metadata(customer.stripe_customer_id)
        if named != str(customer.account_id):
            there = f"of account {named}" if named else "missing"
            yield f"{customer.stripe_customer_id}: of account {customer.account_id} here, {there} at Stripe"


def _subscriptions() -> Iterator[str]:
    for subscription in Subscription.objects.filter(status__in=LIVE).order_by("pk").iterator():
        there = _status_at_stripe(subscription.pk)
        if there != subscription.status:
            yield f"{subscription.pk}: {subscription.status} here, {there} at Stripe"


def _status_at_stripe(subscription_id: str) -> str:
    try:
        return str(queries.subscription(subscription_id).status)
    except BillingError as error:
        if error.code != "not_found":
            raise
        return "missing"
