"""Sends HeyGen's webhooks: the endpoints of an event, the body, the signature."""

import contextlib
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from genvid.sandbox.store import Row
from genvid.sandbox.webhook_sender import WebhookSender

PROBE_TIMEOUT = 1.0
# What `chaos` makes of a delivery, by weight; beside it, now and then, somebody tells of the opposite.
CHAOS = {"normal": 45, "doubled": 15, "late": 10, "reordered": 10, "off": 12, "unsigned": 8}
FORGERY_SHARE = 0.3


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
    """The event with which a forger contradicts this one."""
    failed = event.type.endswith(".fail")
    told = {"url": "http://127.0.0.1:9/forged.mp4"} if failed else {"msg": "Forged"}
    kept = {name: event.data.get(name) for name in ("video_id", "callback_id")}
    return Event("avatar_video.success" if failed else "avatar_video.fail", kept | told, event.entity_id)


class HeyGenSender(WebhookSender):
    deliveries = "deliveries"
    attempts = "attempts"
    give_up_after = 24 * 3600.0
    mode_setting = "webhooks"

    def send(self, event: Event, *, mode: str) -> None:
        now, event_id, is_first = time.time(), "evt_" + secrets.token_hex(12), self._is_first_of_two()
        with self._store.together():
            self._store.add(
                "events",
                id=event_id,
                type=event.type,
                data=json.dumps(event.data),
                entity_id=event.entity_id,
                created_at=now,
            )
            for endpoint_id, url in self._recipients(event):
                drawn = self._draw_mode(mode)
                due = now + self._hold_back(drawn, is_first)
                self._queue(event, event_id, endpoint_id, url, drawn, due)
                if mode == "chaos" and self._settings.rng.random() < FORGERY_SHARE:
                    self._queue(opposite(event), "evt_" + secrets.token_hex(12), endpoint_id, url, "forgery", now)
        self._wake_event.set()
        for follower in event.followers:
            self.send(follower, mode=mode)

    async def probe(self, url: str) -> None:
        """HeyGen's OPTIONS request at registration. Its outcome changes nothing."""
        with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL):
            await self._client.options(url, timeout=PROBE_TIMEOUT)

    def _draw_mode(self, mode: str) -> str:
        return self._settings.rng.choices([*CHAOS], [*CHAOS.values()])[0] if mode == "chaos" else mode

    def _recipients(self, event: Event) -> list[tuple[str | None, str]]:
        found: list[tuple[str | None, str]] = [(None, event.callback_url)] if event.callback_url else []
        for endpoint in self._store.rows("SELECT * FROM endpoints ORDER BY seq"):
            wanted = json.loads(endpoint["events"]) if endpoint["events"] else None
            theirs = endpoint["entity_id"] in (None, event.entity_id)
            if theirs and (wanted is None or event.type in wanted):
                found.append((endpoint["id"], endpoint["url"]))
        return found

    def _queue(self, event: Event, event_id: str, endpoint_id: str | None, url: str, mode: str, due: float) -> None:
        now = time.time()
        body = {
            "event_id": event_id,
            "event_type": event.type,
            "event_data": event.data,
            "created_at": iso(now),
        }
        if not self._settings.current.webhook_event_id:
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
                due_at=due,
            )

    def _hold_back(self, mode: str, is_first: bool) -> float:
        """`reordered` delays every second event, so that the next one overtakes it."""
        held = mode == "late" or (mode == "reordered" and is_first)
        return self._settings.current.webhook_late_seconds if held else 0.0

    def _headers(self, delivery: Row, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "HeyGen-Webhook/1.0"}
        secret = self._store.value("SELECT secret FROM endpoints WHERE id = ?", delivery["endpoint_id"])
        mode, settings = delivery["mode"], self._settings.current
        if secret and mode == "bare":
            return headers | {"Signature": signature(secret, body)}
        if settings.webhook_event_id:
            headers["Heygen-Event-Id"] = delivery["event_id"]
        if settings.webhook_timestamp:
            headers["Heygen-Timestamp"] = str(int(time.time()))
        if secret and mode != "unsigned":
            key = "forged" if mode in ("forged", "forgery") else secret
            headers["Heygen-Signature"] = signature(key, body)
        return headers
