"""Whether HeyGen answers the calls of this process. `videos.provider.outages` carries it into the database."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True)
class Calls:
    """Of one address, since they were last taken.

    `unanswered_seconds`: since the first unanswered call began; None where there is none, or an answer came later.
    """

    answered: bool = False
    unanswered_seconds: float | None = None


class Reachability:
    """Answers are all but those whose outcome is unknown: a refusal is an answer, a gateway's 502 is none."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._answered_at: dict[str, float] = {}
        self._unanswered_since: dict[str, float] = {}
        self._untaken: dict[str, float] = {}

    def note(self, address: str, *, began: float, answered: bool) -> None:
        """`began`: when the call was sent, by the clock."""
        with self._lock:
            if answered:
                self._answered_at[address] = self._clock()
                self._untaken[address] = self._answered_at[address]
                self._unanswered_since.pop(address, None)
            else:
                # Another call may have been answered while this one waited.
                began = max(began, self._answered_at.get(address, began))
                self._unanswered_since.setdefault(address, began)

    def clear(self) -> None:
        with self._lock:
            for known in (self._answered_at, self._unanswered_since, self._untaken):
                known.clear()

    def take(self, address: str) -> Calls:
        with self._lock:
            since = self._unanswered_since.pop(address, None)
            seconds = None if since is None else self._clock() - since
            return Calls(self._untaken.pop(address, None) is not None, seconds)


of_this_process = Reachability()
