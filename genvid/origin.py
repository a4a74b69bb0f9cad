"""Where the request that is being served came from, for what is written down far below the view.

Set by the middleware for each request. A worker's task has none.
"""

from contextvars import ContextVar
from dataclasses import dataclass

USER_AGENT_LENGTH = 200


@dataclass(frozen=True)
class Origin:
    address: str = ""
    """The caller's IP address, or "" where it is not known."""
    user_agent: str = ""
    """As the caller calls itself; cut, and not to be believed."""
    request_id: str = ""


NOWHERE = Origin()
_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current() -> Origin:
    return _current.get() or NOWHERE


def remember(origin: Origin) -> None:
    _current.set(origin)
