"""Answers that have to wait for something, at no cost of a thread."""

from collections.abc import Awaitable, Callable
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse

InThread = Callable[[Callable[[], HttpResponse]], Awaitable[HttpResponse]]


class Deferred(HttpResponse):
    """Stands for an answer that is made when `wait` is over. Only the ASGI handler of `genvid.asgi` knows it."""

    def __init__(self, *, wait: Callable[[], Awaitable[None]], answer: Callable[[], HttpResponse]) -> None:
        super().__init__()
        del self.headers["Content-Type"]
        self.wait, self.answer = wait, answer

    async def settled(self, in_thread: InThread) -> HttpResponse:
        """The answer, with the headers that the middleware has given to its stand-in."""
        await self.wait()
        answer = await in_thread(self.answer)
        del self.headers["Content-Length"]
        for name, value in self.items():
            answer.headers.setdefault(name, value)
        answer["Content-Length"] = str(len(answer.content))
        return answer


def can_wait(request: Any) -> bool:
    """Whether the server lets an answer wait or stream without holding a thread."""
    plain: HttpRequest = getattr(request, "_request", request)
    return isinstance(plain, ASGIRequest)
