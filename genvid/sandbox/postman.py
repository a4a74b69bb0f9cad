"""Deliveries that wait in a table, go out when due and are retried with backoff until a 2xx or for long enough."""

import asyncio
import time
from abc import ABC, abstractmethod
from functools import partial
from typing import ClassVar

import httpx

from genvid.sandbox.knobs import KnobBoard
from genvid.sandbox.store import Row, Store

FIRST_RETRY = 10.0
LONGEST_PAUSE = 3600.0


class Postman(ABC):
    """What all providers' deliveries have in common. Where they are kept and how they are signed is the provider's."""

    deliveries: ClassVar[str]
    attempts: ClassVar[str]
    give_up_after: ClassVar[float]
    at_once: ClassVar[int] = 8
    knob: ClassVar[str]
    """The knob that says how deliveries are made."""

    def __init__(self, store: Store, board: KnobBoard) -> None:
        self._store, self._board = store, board
        self._bell = asyncio.Event()
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False)
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._counted, self._counted_since = 0, 0

    async def run(self) -> None:
        while True:
            self._bell.clear()
            pause = self._start_due()
            try:
                await asyncio.wait_for(self._bell.wait(), pause)
            except TimeoutError:
                continue

    async def stop(self) -> None:
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._client.aclose()

    def _is_first_of_two(self) -> bool:
        """Every second time it is asked, beginning anew whenever the knob is set."""
        since = self._board.times_set[self.knob]
        if since != self._counted_since:
            self._counted, self._counted_since = 0, since
        self._counted += 1
        return self._counted % 2 == 1

    @abstractmethod
    def _headers(self, delivery: Row, body: bytes) -> dict[str, str]:
        """With the sender's signature over `body`."""

    def _start_due(self) -> float | None:
        """Starts what is due and says how long nothing else will be."""
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
        self._bell.set()

    async def _deliver(self, delivery: Row) -> None:
        answer, _ = await self._try(delivery)
        if not 200 <= (answer or 0) < 300:
            self._plan_retry(delivery)

    async def _try(self, delivery: Row) -> tuple[int | None, str | None]:
        """One attempt, written down; the status it was answered with, or what came between."""
        answer, error = None, None
        body = delivery["body"].encode()
        headers, timeout = self._headers(delivery, body), self._board.now.webhook_timeout
        try:
            response = await self._client.post(delivery["url"], content=body, headers=headers, timeout=timeout)
            answer = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = type(failure).__name__
        self._note(delivery["seq"], answer, error)
        self._store.run(f"UPDATE {self.deliveries} SET tries = tries + 1 WHERE seq = ?", delivery["seq"])
        if answer is not None and 200 <= answer < 300:
            self._store.run(f"UPDATE {self.deliveries} SET status = 'delivered' WHERE seq = ?", delivery["seq"])
        return answer, error

    def _plan_retry(self, delivery: Row) -> None:
        scale, now = self._board.now.webhook_retry_scale, time.time()
        # A forger does not come back.
        if delivery["mode"] == "forgery" or now - delivery["created_at"] > self.give_up_after * scale:
            self._store.run(f"UPDATE {self.deliveries} SET status = 'abandoned' WHERE seq = ?", delivery["seq"])
            return
        pause = min(FIRST_RETRY * 2 ** delivery["tries"], LONGEST_PAUSE) * scale
        self._store.run(f"UPDATE {self.deliveries} SET due_at = ? WHERE seq = ?", now + pause, delivery["seq"])

    def _note(self, delivery: int, answer: int | None, error: str | None) -> None:
        self._store.add(self.attempts, delivery=delivery, at=time.time(), answer=answer, error=error)
