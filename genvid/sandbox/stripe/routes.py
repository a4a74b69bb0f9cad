"""All that Stripe answers on the sandbox's port."""

from starlette.routing import BaseRoute

from genvid.sandbox.house import House
from genvid.sandbox.stripe import (
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
    levers,
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


def routes(house: House) -> list[BaseRoute]:
    api = [route(house, operation) for module in MODULES for operation in module.OPERATIONS]
    return [*api, unrecognized(house), *web.routes(house), *levers.routes(house)]
