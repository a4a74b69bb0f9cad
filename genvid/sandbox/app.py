"""The routes of both providers as one ASGI application."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genvid.sandbox import control, file_routes
from genvid.sandbox.api_errors import ApiError, ConnectionDropped, RawAnswer, usual_code
from genvid.sandbox.heygen import assets, avatars, users, video_operations, voices, webhook_operations
from genvid.sandbox.heygen.dispatch import route
from genvid.sandbox.options import Options
from genvid.sandbox.state import State
from genvid.sandbox.stripe import stripe_routes as stripe

HEYGEN = (video_operations, avatars, voices, assets, webhook_operations, users)


def build(options: Options) -> ASGIApp:
    state = State(options)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        state.start()
        if state.settings.current.renderer == "full":
            state.heygen.render_queue.warm_up(file_routes.images_to_draw(state.heygen))
        yield
        await state.stop()

    app = Starlette(routes=routes(state), lifespan=lifespan, exception_handlers=HANDLERS)
    app.router.redirect_slashes = False
    return RequestIds(app)


def routes(state: State) -> list[BaseRoute]:
    heygen = [route(state.heygen, operation) for module in HEYGEN for operation in module.OPERATIONS]
    return [*heygen, *stripe.routes(state.stripe), *file_routes.routes(state.heygen), *control.routes(state)]


async def _refused(request: Request, error: ApiError) -> Response:
    return JSONResponse(error.body, error.status, error.headers)


async def _not_routed(request: Request, refusal: HTTPException) -> Response:
    error = ApiError(usual_code(refusal.status_code), status=refusal.status_code)
    return JSONResponse(error.body, error.status, refusal.headers)


async def _raw(request: Request, answer: RawAnswer) -> Response:
    return Response(answer.body, answer.status, media_type=answer.media_type)


async def _dropped(request: Request, _: ConnectionDropped) -> Response:
    request.state.drop()
    return Response()


async def _broken(request: Request, error: Exception) -> Response:
    return await _refused(request, ApiError("internal_error"))


# Of HeyGen's side and the controls. Stripe answers in a shape of its own.
HANDLERS: Any = {
    ApiError: _refused,
    HTTPException: _not_routed,
    RawAnswer: _raw,
    ConnectionDropped: _dropped,
    Exception: _broken,
}


class RequestIds:
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
