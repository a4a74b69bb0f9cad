"""How many calls of one operation are answered in a second."""

from collections import defaultdict, deque

from genvid.sandbox.api_errors import ApiError
from genvid.sandbox.runtime_settings import StoredSettings
from genvid.sandbox.store import Store


class CallRates:
    def __init__(self, store: Store, settings: StoredSettings) -> None:
        self._store, self._settings = store, settings
        self._answered: dict[str, deque[float]] = defaultdict(deque)

    def check(self, operation: str, now: float) -> None:
        """Raises the refusal of a call beyond the rate. Refused calls do not count. `now`: seconds of any clock."""
        most, answered = self._settings.current.calls_per_second, self._answered[operation]
        while answered and now - answered[0] >= 1:
            answered.popleft()
        if most and len(answered) >= most:
            self._store.count("drawn_faults", "rate", "calls_per_second")
            raise ApiError("rate_limit_exceeded", retry_after=self._settings.current.retry_after)
        answered.append(now)
