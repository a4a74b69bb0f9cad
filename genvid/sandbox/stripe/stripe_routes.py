"""All routes of the sandbox's Stripe."""

from starlette.routing import BaseRoute

from genvid.sandbox.stripe import (
    actions,
    balance_resource,
    charge_resource,
    clock_resource,
    customer_resource,
    dispute_resource,
    event_resource,
    intent_resource,
    invoice_item_resource,
    invoice_resource,
    payment_method_resource,
    portal_resource,
    product_resource,
    promotion_resource,
    refund_resource,
    session_resource,
    subscription_resource,
)
from genvid.sandbox.stripe.pages import page_routes
from genvid.sandbox.stripe.request_handling import route, unrecognized
from genvid.sandbox.stripe.stripe_core import StripeCore

OPERATIONS = [
    *balance_resource.OPERATIONS,
    *invoice_resource.OPERATIONS,
    *product_resource.OPERATIONS,
    *charge_resource.OPERATIONS,
    *clock_resource.OPERATIONS,
    *customer_resource.OPERATIONS,
    *dispute_resource.OPERATIONS,
    *event_resource.OPERATIONS,
    *intent_resource.OPERATIONS,
    *invoice_item_resource.OPERATIONS,
    *payment_method_resource.OPERATIONS,
    *portal_resource.OPERATIONS,
    *promotion_resource.OPERATIONS,
    *refund_resource.OPERATIONS,
    *session_resource.OPERATIONS,
    *subscription_resource.OPERATIONS,
]


def routes(core: StripeCore) -> list[BaseRoute]:
    api = [route(core, operation) for operation in OPERATIONS]
    return [*api, unrecognized(core), *page_routes.routes(core), *actions.routes(core)]
