"""Responses that wait for something without holding a thread."""

from collections.abc import Awaitable, Callable
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse

InThread = Callable[[Callable[[], HttpResponse]], Awaitable[HttpResponse]]


class Deferred(HttpResponse):
    """A response that is made when `wait` is over. Only the ASGI handler of `genvid.asgi` resolves it."""

    def __init__(self, *, wait: Callable[[], Awaitable[None]], answer: Callable[[], HttpResponse]) -> None:
        super().__init__()
        del self.headers["Content-Type"]
        self.wait, self.answer = wait, answer

    async def settled(self, in_thread: InThread) -> HttpResponse:
        """The final response, with the headers that the middleware has set on this one."""
        await self.wait()
        answer = await in_thread(self.answer)
        del self.headers["Content-Length"]
        for name, value in self.items():
            answer.headers.setdefault(name, value)
        answer["Content-Length"] = str(len(answer.content))
        return answer


def can_wait(request: Any) -> bool:
    plain: HttpRequest = getattr(request, "_request", request)
    return isinstance(plain, ASGIRequest)
