"""Routes under `/_sandbox/`: JSON in, JSON out, answered to this machine only."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genvid.sandbox.api_errors import ApiError, refuse

Context = TypeVar("Context")
Handler = Callable[[Context, Request, Any], Awaitable[Any]]
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


def local_route(context: Context, path: str, handler: Handler[Context], *methods: str) -> Route:
    """The handler gets the context, the request and the decoded body, and returns what is sent as JSON."""

    async def endpoint(request: Request) -> Response:
        return JSONResponse(await handler(context, request, await _local_body(request)))

    return Route("/_sandbox/" + path, endpoint, methods=list(methods))


async def _local_body(request: Request) -> Any:
    if request.client is None or request.client.host not in LOOPBACK:
        raise ApiError("forbidden", "Only from this machine")
    raw = await request.body()
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        refuse("body", "The request body is not valid JSON")
