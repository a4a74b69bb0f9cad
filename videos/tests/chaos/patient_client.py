"""Requests that are repeated, under their Idempotency-Key, until the answer is definite."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from genvid.tests.factories import Person, sign_in

PATIENCE = 600.0
PAUSE = 0.3
UNAUTHENTICATED = 401


class PatientClient:
    """One person's client. `counts`: what was repeated, and after what."""

    def __init__(self, person: Person, url: str) -> None:
        self.counts: Counter[str] = Counter()
        self._email = person.user.email
        self._http = httpx.Client(base_url=url, timeout=60, trust_env=False)
        self._use(person)

    def _use(self, person: Person) -> None:
        self._http.headers["Authorization"] = f"Bearer {person.tokens.access_token}"

    def close(self) -> None:
        self._http.close()

    def send(self, method: str, path: str, *, key: str | None = None, prefer: str = "", **body: Any) -> httpx.Response:
        """The first definite answer. Raises TimeoutError after `PATIENCE` seconds without one."""
        until, last = time.monotonic() + PATIENCE, ""
        headers = {name: text for name, text in {"Idempotency-Key": key, "Prefer": prefer}.items() if text}
        while time.monotonic() < until:
            answer = self.try_once(method, path, headers=headers, **body)
            last = type(answer).__name__ if isinstance(answer, httpx.TransportError) else str(answer.status_code)
            if isinstance(answer, httpx.Response) and not _should_retry(answer):
                return answer
            self.counts[f"repeated after {last}"] += 1
            time.sleep(PAUSE)
        raise TimeoutError(f"{method} {path}: no definite answer in {PATIENCE:.0f} s, at last {last}")

    def try_once(self, method: str, path: str, **given: Any) -> httpx.Response | httpx.TransportError:
        try:
            answer = self._http.request(method, path, **given)
        except httpx.TransportError as error:
            return error
        if answer.status_code == UNAUTHENTICATED:
            # A token lasts for a quarter of an hour, which a slow machine may need.
            self._use(sign_in(self._email))
        return answer

    def send_copies(self, count: int, method: str, path: str, **given: Any) -> list[httpx.Response]:
        """The answers to the same request, sent so often at once."""
        with ThreadPoolExecutor(count) as pool:
            calls = [pool.submit(self.send, method, path, **given) for _ in range(count)]
            return [call.result() for call in calls]


def _should_retry(answer: httpx.Response) -> bool:
    if answer.status_code in (UNAUTHENTICATED, 429, *range(500, 600)):
        return True
    return answer.status_code == 409 and answer.json()["error"]["code"] == "idempotency_in_progress"
