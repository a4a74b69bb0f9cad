"""All that Stripe answers on the sandbox's port."""

from starlette.routing import BaseRoute

from genvid.sandbox.stripe import (
    actions,
    balances,
    billing,
    catalogue,
    charges,
    customers,
    disputes,
    endpoints,
    intents,
    invoice_items,
    methods,
    pausing,
    portal,
    promotions,
    refunds,
    sessions,
    subscriptions,
)
from genvid.sandbox.stripe.core import StripeCore
from genvid.sandbox.stripe.pages import web
from genvid.sandbox.stripe.serving import route, unrecognized

OPERATIONS = [
    *balances.OPERATIONS,
    *billing.OPERATIONS,
    *catalogue.OPERATIONS,
    *charges.OPERATIONS,
    *customers.OPERATIONS,
    *disputes.OPERATIONS,
    *endpoints.OPERATIONS,
    *intents.OPERATIONS,
    *invoice_items.OPERATIONS,
    *methods.OPERATIONS,
    *pausing.OPERATIONS,
    *portal.OPERATIONS,
    *promotions.OPERATIONS,
    *refunds.OPERATIONS,
    *sessions.OPERATIONS,
    *subscriptions.OPERATIONS,
]


def routes(core: StripeCore) -> list[BaseRoute]:
    api = [route(core, operation) for operation in OPERATIONS]
    return [*api, unrecognized(core), *web.routes(core), *actions.routes(core)]
