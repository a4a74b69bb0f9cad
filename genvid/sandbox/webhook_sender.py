"""Sends webhooks from a table of deliveries when they are due, with retries until a 2xx or a deadline."""

import asyncio
import time
from abc import ABC, abstractmethod
from functools import partial
from typing import ClassVar

import httpx

from genvid.sandbox.runtime_settings import StoredSettings
from genvid.sandbox.store import Row, Store

FIRST_RETRY = 10.0
LONGEST_PAUSE = 3600.0


class WebhookSender(ABC):
    """What both providers' webhooks share. A provider names the tables and signs the bodies."""

    deliveries: ClassVar[str]
    attempts: ClassVar[str]
    give_up_after: ClassVar[float]
    at_once: ClassVar[int] = 8
    mode_setting: ClassVar[str]
    """The name of the setting that holds the delivery mode."""

    def __init__(self, store: Store, settings: StoredSettings) -> None:
        self._store, self._settings = store, settings
        self._wake_event = asyncio.Event()
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False)
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._counted, self._counted_since = 0, 0

    async def run(self) -> None:
        while True:
            self._wake_event.clear()
            pause = self._start_due()
            try:
                await asyncio.wait_for(self._wake_event.wait(), pause)
            except TimeoutError:
                continue

    async def stop(self) -> None:
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._client.aclose()

    def _is_first_of_two(self) -> bool:
        """True at every other call, starting with the first one after the mode was set."""
        since = self._settings.times_set[self.mode_setting]
        if since != self._counted_since:
            self._counted, self._counted_since = 0, since
        self._counted += 1
        return self._counted % 2 == 1

    @abstractmethod
    def _headers(self, delivery: Row, body: bytes) -> dict[str, str]:
        """With the sender's signature over `body`."""

    def _start_due(self) -> float | None:
        """Returns the seconds until the next delivery; None: until something changes."""
        for delivery in self._waiting():
            if delivery["due_at"] > time.time():
                return float(max(0.01, delivery["due_at"] - time.time()))
            if len(self._under_way) >= self.at_once:
                return None
            task = asyncio.create_task(self._deliver(delivery))
            self._under_way[delivery["seq"]] = task
            task.add_done_callback(partial(self._delivered, delivery["seq"]))
        return None

    def _waiting(self) -> list[Row]:
        """More than can be under way, so that the next one due is always among them."""
        sql = f"SELECT * FROM {self.deliveries} WHERE status = 'waiting' ORDER BY due_at, seq LIMIT ?"
        rows = self._store.rows(sql, 4 * self.at_once)
        return [delivery for delivery in rows if delivery["seq"] not in self._under_way]

    def _delivered(self, seq: int, task: asyncio.Task[None]) -> None:
        self._under_way.pop(seq, None)
        self._wake_event.set()

    async def _deliver(self, delivery: Row) -> None:
        answer, _ = await self._try(delivery)
        if not 200 <= (answer or 0) < 300:
            self._plan_retry(delivery)

    async def _try(self, delivery: Row) -> tuple[int | None, str | None]:
        answer, error = None, None
        body = delivery["body"].encode()
        headers, timeout = self._headers(delivery, body), self._settings.current.webhook_timeout
        try:
            response = await self._client.post(delivery["url"], content=body, headers=headers, timeout=timeout)
            answer = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = type(failure).__name__
        self._store.add(self.attempts, delivery=delivery["seq"], at=time.time(), answer=answer, error=error)
        self._store.run(f"UPDATE {self.deliveries} SET tries = tries + 1 WHERE seq = ?", delivery["seq"])
        if answer is not None and 200 <= answer < 300:
            self._store.run(f"UPDATE {self.deliveries} SET status = 'delivered' WHERE seq = ?", delivery["seq"])
        return answer, error

    def _plan_retry(self, delivery: Row) -> None:
        scale, now = self._settings.current.webhook_retry_scale, time.time()
        # A forger does not come back.
        if delivery["mode"] == "forgery" or now - delivery["created_at"] > self.give_up_after * scale:
            self._store.run(f"UPDATE {self.deliveries} SET status = 'abandoned' WHERE seq = ?", delivery["seq"])
            return
        pause = min(FIRST_RETRY * 2 ** delivery["tries"], LONGEST_PAUSE) * scale
        self._store.run(f"UPDATE {self.deliveries} SET due_at = ? WHERE seq = ?", now + pause, delivery["seq"])
