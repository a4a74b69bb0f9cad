"""All that Stripe answers on the sandbox's port."""

from starlette.routing import BaseRoute

from genvid.sandbox.house import House
from genvid.sandbox.stripe import (
    billing,
    catalogue,
    charges,
    clocks,
    customers,
    disputes,
    endpoints,
    intents,
    levers,
    methods,
    payment_pages,
    portal,
    preview,
    promotions,
    refunds,
    sessions,
    subscriptions,
)
from genvid.sandbox.stripe.pages import web
from genvid.sandbox.stripe.serving import route, unrecognized

MODULES = (
    billing,
    catalogue,
    charges,
    clocks,
    customers,
    disputes,
    endpoints,
    intents,
    methods,
    payment_pages,
    portal,
    preview,
    promotions,
    refunds,
    sessions,
    subscriptions,
)


def routes(house: House) -> list[BaseRoute]:
    api = [route(house, operation) for module in MODULES for operation in module.OPERATIONS]
    return [*api, unrecognized(house), *web.routes(house), *levers.routes(house)]
