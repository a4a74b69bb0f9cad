"""All that Stripe answers on the sandbox's port."""

from starlette.routing import BaseRoute

from genvid.sandbox.stripe import (
    actions,
    balances,
    billing,
    captures,
    catalogue,
    charges,
    clocks,
    customers,
    disputes,
    endpoints,
    intents,
    invoice_items,
    methods,
    pausing,
    payment_pages,
    portal,
    preview,
    promotions,
    refunds,
    search,
    sessions,
    subscriptions,
)
from genvid.sandbox.stripe.core import StripeCore
from genvid.sandbox.stripe.pages import web
from genvid.sandbox.stripe.serving import route, unrecognized

# Search and previews first: their paths would otherwise be taken for an id.
MODULES = (
    search,
    preview,
    balances,
    billing,
    captures,
    catalogue,
    charges,
    clocks,
    customers,
    disputes,
    endpoints,
    intents,
    invoice_items,
    methods,
    pausing,
    payment_pages,
    portal,
    promotions,
    refunds,
    sessions,
    subscriptions,
)


def routes(core: StripeCore) -> list[BaseRoute]:
    api = [route(core, operation) for module in MODULES for operation in module.OPERATIONS]
    return [*api, unrecognized(core), *web.routes(core), *actions.routes(core)]
