"""The sandbox as one ASGI application. A further provider joins by adding its routes to `routes`."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genvid.sandbox import admin, download
from genvid.sandbox.errors import ApiError
from genvid.sandbox.heygen import assets, avatars, batches, users, videos, voices, webhooks
from genvid.sandbox.heygen.calls import route
from genvid.sandbox.options import Options
from genvid.sandbox.state import State
from genvid.sandbox.stripe import stripe_routes as stripe

# Batches first: their paths would otherwise be taken for a video's id.
HEYGEN = (batches, videos, avatars, voices, assets, webhooks, users)


def build(options: Options) -> ASGIApp:
    state = State(options)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        state.start()
        if state.settings.current.renderer == "full":
            state.heygen.render_queue.warm_up(download.images_to_draw(state.heygen))
        yield
        await state.stop()

    handlers = {HTTPException: _refused, Exception: _broken}
    app = Starlette(routes=routes(state), lifespan=lifespan, exception_handlers=handlers)  # type: ignore[arg-type]
    app.router.redirect_slashes = False
    return RequestIds(app)


def routes(state: State) -> list[BaseRoute]:
    heygen = [route(state.heygen, operation) for module in HEYGEN for operation in module.OPERATIONS]
    return [*heygen, *stripe.routes(state.stripe), *download.routes(state.heygen), *admin.routes(state)]


def _refused(request: Request, refusal: HTTPException) -> Response:
    code = "method_not_allowed" if refusal.status_code == 405 else "not_found"
    error = ApiError(code, status=refusal.status_code)
    return JSONResponse(error.body, error.status, refusal.headers)


def _broken(request: Request, error: Exception) -> Response:
    return JSONResponse(ApiError("internal_error").body, 500)


class RequestIds:
    """Puts an `X-Request-Id` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = request_id

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        await self._app(scope, receive, marked)
