"""ASGI entry point: `granian --interface asginl genvid.asgi:application`. For streams; on a small site for all."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any

from django.core.handlers.asgi import ASGIHandler

from genvid.start_up import set_up_django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genvid.settings")
set_up_django()

# These imports need the settings, or load what the start-up leaves out.
import structlog  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import close_old_connections  # noqa: E402

from genvid import request_context  # noqa: E402
from genvid.api.deferred import Deferred  # noqa: E402
from genvid.api.exceptions import refuse  # noqa: E402
from genvid.api.requests import Utf8ASGIRequest  # noqa: E402
from genvid.errors import RequestTimeout  # noqa: E402
from genvid.slow_clients import ClientStalled, Receive, TimedBody, timed_send  # noqa: E402

logger = structlog.get_logger(__name__)
UPLOADS = "/api/v1/uploads"


def limit_body(limit: int, receive: Receive) -> Receive:
    """Truncates oversized bodies at limit + 1 byte, so that Django rejects them without spooling them to disk."""

    async def cut_short() -> Any:
        nonlocal limit
        message = await receive()
        piece = message.get("body", b"")[:limit]
        limit -= len(piece)
        return message | {"body": piece} if "body" in message else message

    return cut_short


def largest_body(path: str) -> int:
    """Staff upload films, customers files of their own; other bodies are small, or refused."""
    if path.startswith("/admin/videos/"):
        return int(settings.VIDEO_MAX_BYTES)
    return int(settings.UPLOAD_MAX_BODY_BYTES if path == UPLOADS else settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


class Handler(ASGIHandler):
    """Django's handler, with each request run whole in one of a few permanent threads.

    Django's own keeps a thread and a database connection per request while the answer streams: 200 open streams would
    hold 200 of both.
    """

    request_class = Utf8ASGIRequest

    def __init__(self) -> None:
        super().__init__()
        self.threads = ThreadPoolExecutor(settings.ASGI_THREADS, "request")

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Receive, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(f"Only HTTP is served here, not {scope['type']}.")
        most = largest_body(scope["path"])
        patience = settings.CLIENT_STALL_SECONDS
        body = TimedBody(receive, patience)
        peer = (scope["client"][0], scope["client"][1]) if scope.get("client") else None
        send = timed_send(send, peer, patience)
        await self.handle(scope, limit_body(most + 1, body), send)
        if body.is_too_slow:
            logger.info("slow_body_refused", path=scope["path"])
            await self._refuse_slow_body(send)

    async def send_response(self, response: Any, send: Any) -> None:
        try:
            await super().send_response(response, send)
        except ClientStalled:
            # Returning closes the response and, since the answer is not whole, the connection.
            logger.info("stalled_client_dropped", status=response.status_code)

    async def _refuse_slow_body(self, send: Any) -> None:
        request_context.set_current(request_context.RequestContext(str(uuid.uuid4())))
        answer = refuse(RequestTimeout())
        answer["Connection"], answer["X-Request-Id"] = "close", request_context.current().request_id
        await self.send_response(answer, send)

    async def get_response_async(self, request: Any) -> Any:
        context = copy_context()
        response = await self.in_thread(self.get_response, request, context=context)
        # The thread changed a copy of our context; waiting and streaming need its values.
        request_context.set_current(context.run(request_context.current))
        if isinstance(response, Deferred):
            response = await response.settled(self.in_thread)
        if response.streaming and not response.is_async:
            # Left to Django, the whole of it would be read into memory first.
            response.streaming_content = self.chunks(response.streaming_content)
        return response

    async def in_thread(self, call: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        loop, context = asyncio.get_running_loop(), context or copy_context()
        return await loop.run_in_executor(self.threads, context.run, _with_checked_connection, call, *args)

    async def chunks(self, content: Iterable[bytes]) -> AsyncIterator[bytes]:
        chunks, context = iter(content), copy_context()
        while (chunk := await self.in_thread(next, chunks, None, context=context)) is not None:
            yield chunk


def _with_checked_connection(call: Callable[..., Any], *args: Any) -> Any:
    """Closes broken and old database connections around `call`, as Django's signals do for WSGI servers."""
    close_old_connections()
    try:
        return call(*args)
    finally:
        close_old_connections()


application = Handler()
