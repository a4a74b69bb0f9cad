"""The ids of the present request, for log lines, envelopes, audit entries and jobs.

The middleware sets it; a job carries its ids to the worker. Work on a row that outlives its request (a video) runs
under the request that ordered the row.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

USER_AGENT_LENGTH = 200
REQUEST_ID_LENGTH = 64
IDS = ("request_id", "account_id", "user_id", "key_id", "video_id")
"""For log lines and jobs; address and user agent stay in the process that serves the request."""


@dataclass(frozen=True)
class RequestContext:
    request_id: str = ""
    account_id: str = ""
    user_id: str = ""
    key_id: str = ""
    video_id: str = ""
    address: str = ""
    user_agent: str = ""

    @classmethod
    def of(cls, **ids: object) -> "RequestContext":
        """Keeps known ids only, as text: a job may be of a newer release."""
        return cls(**{name: str(value) for name, value in ids.items() if name in IDS and value})

    @property
    def ids(self) -> dict[str, str]:
        return {name: value for name in IDS if (value := getattr(self, name))}


NO_REQUEST = RequestContext()
_current: ContextVar[RequestContext] = ContextVar("request_context", default=NO_REQUEST)


def current() -> RequestContext:
    return _current.get()


def set_current(context: RequestContext) -> None:
    _current.set(context)


def bind(**ids: object) -> None:
    _current.set(replace(current(), **{name: str(value or "") for name, value in ids.items()}))


Entered = Callable[[RequestContext], AbstractContextManager[object]]
_entered: Entered = nullcontext


def on_use(entered: Entered) -> None:
    """What else surrounds the work under a context: tracing, where it is on."""
    global _entered
    _entered = entered


@contextmanager
def use(context: RequestContext) -> Iterator[None]:
    token = _current.set(context)
    try:
        with _entered(context):
            yield
    finally:
        _current.reset(token)


class Ordered(Protocol):
    @property
    def request_context(self) -> RequestContext: ...


Work = TypeVar("Work", bound=Callable[..., Any])


def under_request_of_row(work: Work) -> Work:
    @wraps(work)
    def wrapped(row: Ordered, *args: Any, **kwargs: Any) -> Any:
        with use(row.request_context):
            return work(row, *args, **kwargs)

    return cast(Work, wrapped)


def add_to_log_line(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {**current().ids, **event}
