"""Sends Stripe's webhooks: the endpoints of an event, the signature, the events that were not delivered."""

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any

from genvid.sandbox.store import Row
from genvid.sandbox.stripe.object_store import Json, new_id
from genvid.sandbox.webhook_sender import WebhookSender

# The modes that `chaos` draws from, by weight. A share of its deliveries comes with an invented event as well.
CHAOS = {"normal": 45, "doubled": 20, "late": 10, "reordered": 10, "off": 15}
FORGERY_SHARE = 0.2
STATUSES = {"off": "lost", "held": "held"}
UNDELIVERED = """SELECT event_id FROM stripe_deliveries WHERE mode <> 'forgery'
             GROUP BY event_id, endpoint_id HAVING MAX(status = 'delivered') = 0"""


def signature(secret: str, body: bytes, at: int) -> str:
    """The `Stripe-Signature` header: https://docs.stripe.com/webhooks#verify-manually."""
    signed = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


class StripeSender(WebhookSender):
    deliveries = "stripe_deliveries"
    attempts = "stripe_attempts"
    give_up_after = 3 * 24 * 3600.0
    at_once = 16
    mode_setting = "stripe_webhooks"

    def send(self, event: Json, endpoints: list[Json]) -> None:
        """Queues an event for these endpoints, in the mode of the setting `stripe_webhooks`."""
        for endpoint in endpoints:
            self._queue(event, endpoint, self._draw_mode())
            if self._settings.current.stripe_webhooks == "chaos" and self._settings.rng.random() < FORGERY_SHARE:
                self._queue({**event, "id": new_id("evt_")}, endpoint, "forgery")
        self._wake_event.set()

    async def deliver(self, event: Json, endpoint: Json) -> dict[str, Any]:
        """Makes one attempt now, whatever the mode. Returns the answer's status."""
        sql = "SELECT * FROM stripe_deliveries WHERE event_id = ? AND endpoint_id = ? AND mode <> 'forgery' LIMIT 1"
        row = self._store.row(sql, event["id"], endpoint["id"])
        if row is None:
            self._queue(event, endpoint, "held")
            row = self._store.row(sql, event["id"], endpoint["id"])
        answer, error = await self._try({**(row or {}), "mode": "normal", "url": endpoint["url"]})
        outcome = {"event": event["id"], "type": event["type"], "endpoint": endpoint["id"], "status": answer}
        return outcome | ({"error": error} if error else {})

    async def deliver_all(self, pairs: list[tuple[Json, Json]], *, parallel: bool) -> list[dict[str, Any]]:
        if parallel:
            return list(await asyncio.gather(*(self.deliver(event, endpoint) for event, endpoint in pairs)))
        return [await self.deliver(event, endpoint) for event, endpoint in pairs]

    def undelivered(self) -> list[str]:
        return sorted({row["event_id"] for row in self._store.rows(UNDELIVERED)})

    def pending(self, event_id: str) -> int:
        sql = UNDELIVERED.replace("WHERE", "WHERE event_id = ? AND", 1)
        return len(self._store.rows(sql, event_id))

    def abandon(self, endpoint_id: str) -> None:
        sql = "UPDATE stripe_deliveries SET status = 'abandoned' WHERE endpoint_id = ? AND status = 'waiting'"
        self._store.run(sql, endpoint_id)

    def _draw_mode(self) -> str:
        mode = self._settings.current.stripe_webhooks
        return self._settings.rng.choices([*CHAOS], [*CHAOS.values()])[0] if mode == "chaos" else mode

    def _queue(self, event: Json, endpoint: Json, mode: str) -> None:
        now = time.time()
        for _ in range(2 if mode == "doubled" else 1):
            self._store.add(
                "stripe_deliveries",
                event_id=event["id"],
                event_type=event["type"],
                endpoint_id=endpoint["id"],
                url=endpoint["url"],
                mode=mode,
                body=json.dumps(event),
                created_at=now,
                due_at=now + self._hold_back(mode),
                status=STATUSES.get(mode, "waiting"),
            )

    def _hold_back(self, mode: str) -> float:
        """Seconds. `reordered` delays every second delivery, so that the next one overtakes it."""
        held = mode == "late" or (mode == "reordered" and self._is_first_of_two())
        return self._settings.current.webhook_late_seconds if held else 0.0

    def _headers(self, delivery: Row, body: bytes) -> dict[str, str]:
        sql = "SELECT json_extract(body, '$._secret') FROM stripe_objects WHERE id = ?"
        secret = self._store.value(sql, delivery["endpoint_id"]) or ""
        key = "whsec_forged" if delivery["mode"] in ("forged", "forgery") else secret
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(key, body, int(time.time())),
        }
