"""Webhook deliveries: stored, signed, retried with backoff until a 2xx or for a day."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx

from genvid.sandbox.knobs import KnobBoard
from genvid.sandbox.store import Row, Store

FIRST_RETRY = 10.0
LONGEST_PAUSE = 3600.0
GIVE_UP_AFTER = 24 * 3600.0
PROBE_TIMEOUT = 1.0
AT_ONCE = 8
# What `chaos` makes of a delivery, by weight; beside it, now and then, somebody tells of the opposite.
CHAOS = {"normal": 45, "doubled": 15, "late": 10, "reordered": 10, "off": 12, "unsigned": 8}
FORGERY_SHARE = 0.3
# More than can be under way, so that the next one due is always among them.
WAITING = "SELECT * FROM deliveries WHERE status = 'waiting' ORDER BY due_at, seq LIMIT 32"


@dataclass(frozen=True)
class Event:
    type: str
    data: dict[str, Any]
    entity_id: str | None = None
    callback_url: str | None = None
    followers: tuple["Event", ...] = field(default=())


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def opposite(event: Event) -> Event:
    """The same video's other end, for a forger to tell of."""
    failed = event.type.endswith(".fail")
    told = {"url": "http://127.0.0.1:9/forged.mp4"} if failed else {"msg": "Forged"}
    kept = {name: event.data.get(name) for name in ("video_id", "callback_id")}
    return Event("avatar_video.success" if failed else "avatar_video.fail", kept | told, event.entity_id)


class Courier:
    def __init__(self, store: Store, board: KnobBoard) -> None:
        self._store, self._board = store, board
        self._bell = asyncio.Event()
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False)
        self._under_way: dict[int, asyncio.Task[None]] = {}

    def send(self, event: Event, *, mode: str) -> None:
        """Writes the event into the history and addresses it to whoever wants it."""
        now, event_id = time.time(), "evt_" + secrets.token_hex(12)
        with self._store.together():
            self._store.add(
                "events",
                id=event_id,
                type=event.type,
                data=json.dumps(event.data),
                entity_id=event.entity_id,
                created_at=now,
            )
            for endpoint_id, url in self._addressees(event):
                self._address(event, event_id, endpoint_id, url, self._drawn(mode), now)
                if mode == "chaos" and self._board.dice.random() < FORGERY_SHARE:
                    self._address(opposite(event), "evt_" + secrets.token_hex(12), endpoint_id, url, "forgery", now)
        self._bell.set()
        for follower in event.followers:
            self.send(follower, mode=mode)

    async def probe(self, url: str) -> None:
        """The OPTIONS request at registration. Its outcome is written down and changes nothing."""
        try:
            answer = await self._client.options(url, timeout=PROBE_TIMEOUT)
            self._note(0, answer.status_code, f"OPTIONS {url}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._note(0, None, f"OPTIONS {url}: {type(error).__name__}")

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

    def _drawn(self, mode: str) -> str:
        return self._board.dice.choices([*CHAOS], [*CHAOS.values()])[0] if mode == "chaos" else mode

    def _addressees(self, event: Event) -> list[tuple[str | None, str]]:
        found: list[tuple[str | None, str]] = [(None, event.callback_url)] if event.callback_url else []
        for endpoint in self._store.rows("SELECT * FROM endpoints ORDER BY seq"):
            wanted = json.loads(endpoint["events"]) if endpoint["events"] else None
            theirs = endpoint["entity_id"] in (None, event.entity_id)
            if theirs and (wanted is None or event.type in wanted):
                found.append((endpoint["id"], endpoint["url"]))
        return found

    def _address(self, event: Event, event_id: str, endpoint_id: str | None, url: str, mode: str, now: float) -> None:
        body = {
            "event_id": event_id,
            "event_type": event.type,
            "event_data": event.data,
            "created_at": iso(now),
        }
        if not self._board.now.webhook_event_id:
            body = {"event_type": event.type, "event_data": event.data}
        for _ in range({"off": 0, "doubled": 2}.get(mode, 1)):
            self._store.add(
                "deliveries",
                event_id=event_id,
                event_type=event.type,
                endpoint_id=endpoint_id,
                url=url,
                mode=mode,
                body=json.dumps(body),
                created_at=now,
                due_at=now + self._hold_back(mode),
            )

    def _hold_back(self, mode: str) -> float:
        """Late waits; reordered holds back every second event, so that its successor overtakes it."""
        count = int(self._store.value("SELECT COUNT(*) FROM events") or 0)
        held = mode == "late" or (mode == "reordered" and count % 2 == 1)
        return self._board.now.webhook_late_seconds if held else 0.0

    def _start_due(self) -> float | None:
        """Starts what is due and says how long nothing else will be."""
        waiting = self._store.rows(WAITING)
        waiting = [delivery for delivery in waiting if delivery["seq"] not in self._under_way]
        for delivery in waiting:
            if delivery["due_at"] > time.time():
                return float(max(0.01, delivery["due_at"] - time.time()))
            if len(self._under_way) >= AT_ONCE:
                return None
            task = asyncio.create_task(self._deliver(delivery))
            self._under_way[delivery["seq"]] = task
            task.add_done_callback(partial(self._delivered, delivery["seq"]))
        return None

    def _delivered(self, seq: int, task: asyncio.Task[None]) -> None:
        self._under_way.pop(seq, None)
        self._bell.set()

    async def _deliver(self, delivery: Row) -> None:
        answer, error = None, None
        body = delivery["body"].encode()
        try:
            response = await self._client.post(
                delivery["url"],
                content=body,
                headers=self._headers(delivery, body),
                timeout=self._board.now.webhook_timeout,
            )
            answer = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = type(failure).__name__
        self._note(delivery["seq"], answer, error)
        self._store.run("UPDATE deliveries SET tries = tries + 1 WHERE seq = ?", delivery["seq"])
        if answer is not None and 200 <= answer < 300:
            self._store.run("UPDATE deliveries SET status = 'delivered' WHERE seq = ?", delivery["seq"])
        else:
            self._plan_retry(delivery)

    def _headers(self, delivery: Row, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "HeyGen-Webhook/1.0"}
        secret = self._store.value("SELECT secret FROM endpoints WHERE id = ?", delivery["endpoint_id"])
        mode, knobs = delivery["mode"], self._board.now
        if secret and mode == "bare":
            return headers | {"Signature": signature(secret, body)}
        if knobs.webhook_event_id:
            headers["Heygen-Event-Id"] = delivery["event_id"]
        if knobs.webhook_timestamp:
            headers["Heygen-Timestamp"] = str(int(time.time()))
        if secret and mode != "unsigned":
            key = "forged" if mode in ("forged", "forgery") else secret
            headers["Heygen-Signature"] = signature(key, body)
        return headers

    def _plan_retry(self, delivery: Row) -> None:
        scale, now = self._board.now.webhook_retry_scale, time.time()
        # A forger does not come back.
        if delivery["mode"] == "forgery" or now - delivery["created_at"] > GIVE_UP_AFTER * scale:
            self._store.run("UPDATE deliveries SET status = 'abandoned' WHERE seq = ?", delivery["seq"])
            return
        pause = min(FIRST_RETRY * 2 ** delivery["tries"], LONGEST_PAUSE) * scale
        self._store.run("UPDATE deliveries SET due_at = ? WHERE seq = ?", now + pause, delivery["seq"])

    def _note(self, delivery: int, answer: int | None, error: str | None) -> None:
        self._store.add("attempts", delivery=delivery, at=time.time(), answer=answer, error=error)
