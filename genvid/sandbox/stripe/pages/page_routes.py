"""Routes of the pages. A POST is one transaction; a refusal rolls it back and is shown on a page."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from genvid.sandbox.stripe.form_bodies import decoded
from genvid.sandbox.stripe.pages import checkout_page, html, invoice_page, portal_page, secure_page
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError

Given = dict[str, str]
Page = Callable[[StripeCore, str, Given], Response]
Action = Callable[[StripeCore, str, str, Given], Response]
FILES = {"style.css": "text/css", "pay.js": "text/javascript"}


def routes(core: StripeCore) -> list[BaseRoute]:
    def shows(path: str, page: Page) -> Route:
        async def endpoint(request: Request) -> Response:
            return _respond(lambda: page(core, request.path_params["id"], dict(request.query_params)))

        return Route(path, endpoint, methods=["GET"])

    def does(path: str, action: Action) -> Route:
        async def endpoint(request: Request) -> Response:
            given = {
                name: str(value) for name, value in decoded((await request.body()).decode("utf-8", "replace")).items()
            }
            what = request.path_params
            return _respond(lambda: _in_transaction(core, action, what["id"], what.get("action", ""), given))

        return Route(path, endpoint, methods=["POST"])

    return [
        Route("/pay/static/{name}", _file),
        shows("/pay/portal/{id}", portal_page.show),
        does("/pay/portal/{id}/{action}", portal_page.perform),
        shows("/pay/secure/{id}", secure_page.show),
        does("/pay/secure/{id}/{action}", secure_page.answer),
        shows("/pay/receipts/{id}", invoice_page.receipt),
        shows("/pay/invoices/{id}", invoice_page.show),
        shows("/pay/invoices/{id}/pdf", invoice_page.pdf),
        does("/pay/invoices/{id}/{action}", invoice_page.pay),
        shows("/pay/{id}", checkout_page.show),
        does("/pay/{id}", checkout_page.pay),
        does("/pay/{id}/{action}", checkout_page.change_promotion_code),
    ]


def _in_transaction(core: StripeCore, action: Action, object_id: str, what: str, given: Given) -> Response:
    with core.store.together(), core.on_clock_of([object_id]):
        return action(core, object_id, what, given)


def _respond(make: Callable[[], Response]) -> Response:
    try:
        return make()
    except StripeError as error:
        if error.code == "resource_missing":
            return html.notice("Something went wrong", "The page you were looking for could not be found.", status=404)
        return html.notice("Something went wrong", error.message, status=error.status)


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in FILES:
        return Response("Not Found", 404, media_type="text/plain")
    return Response(_content(name), media_type=FILES[name], headers={"Cache-Control": "max-age=300"})


@lru_cache
def _content(name: str) -> bytes:
    return Path(__file__).with_name(name).read_bytes()
