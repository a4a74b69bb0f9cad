"""Stripe behind its API: its objects, its time and its events."""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from genvid.sandbox.options import Options
from genvid.sandbox.settings import StoredSettings
from genvid.sandbox.store import Store
from genvid.sandbox.stripe.defaults import ABSENT_FIELDS, defaults
from genvid.sandbox.stripe.object_store import ObjectStore, Thing, listed, new_id, shown
from genvid.sandbox.stripe.stripe_errors import no_such
from genvid.sandbox.stripe.stripe_sender import StripeSender

API_VERSION = "2026-05-27.dahlia"


@dataclass(frozen=True)
class Cause:
    """The API request an event came of; events that come of time have none."""

    request_id: str | None = None
    idempotency_key: str | None = None


class StripeCore:
    def __init__(self, store: Store, settings: StoredSettings, options: Options) -> None:
        self.store, self.settings = store, settings
        self.stripe_key = options.stripe_key
        self.in_progress: set[str] = set()
        """Idempotency-Keys whose requests are being answered."""
        self.objects = ObjectStore(store)
        self.sender = StripeSender(store, settings)
        self._own_base, self._public_url = options.url, options.public_url.rstrip("/")
        self._cause = Cause()
        self._times: list[int] = []

    def get(self, kind: str, object_id: str, param: str = "id") -> Thing:
        """The object, though it may be deleted. Raises StripeError, which names `param`, for another kind or none."""
        found = self.objects.find(object_id)
        if found is None or found["object"] != kind:
            raise no_such(kind, object_id, param, 404 if param == "id" else 400)
        return found

    def get_existing(self, kind: str, object_id: str, param: str = "id") -> Thing:
        """The object; a deleted one is refused as well."""
        found = self.get(kind, object_id, param)
        if found.get("deleted"):
            raise no_such(kind, object_id, param, 404 if param == "id" else 400)
        return found

    def new(self, kind: str, prefix: str, **fields: Any) -> Thing:
        now = self.now()
        made = {"id": new_id(prefix), "object": kind, "created": now, "livemode": False, **defaults(kind), **fields}
        for name in ABSENT_FIELDS.get(kind, ()):
            del made[name]
        self.objects.add(made, now)
        return made

    def save(self, thing: Thing, **fields: Any) -> Thing:
        thing.update(fields)
        self.objects.save(thing)
        return thing

    def change(self, thing: Thing, event: str, **fields: Any) -> Thing:
        """Saves these fields and sends the event, unless they had these values already."""
        before = {name: copy.deepcopy(thing.get(name)) for name, value in fields.items() if thing.get(name) != value}
        self.save(thing, **fields)
        before = {name: value for name, value in before.items() if not name.startswith("_")}
        if before:
            self.emit(event, thing, before)
        return thing

    def delete(self, thing: Thing, event: str | None = None) -> Thing:
        """Leaves what Stripe shows of a deleted object, and returns it."""
        if event is not None:
            self.emit(event, thing)
        return self.save({"id": thing["id"], "object": thing["object"], "deleted": True})

    def now(self) -> int:
        return self._times[-1] if self._times else int(time.time() + self.store.setting("stripe_clock", 0))

    @contextmanager
    def at_time(self, moment: int) -> Iterator[None]:
        self._times.append(moment)
        try:
            yield
        finally:
            self._times.pop()

    @property
    def base(self) -> str:
        return self._public_url or str(self.store.setting("stripe_base", self._own_base))

    def reached_at(self, base: str) -> None:
        """Without a public URL, links to pages have the host name of the last API request."""
        if base != self.base:
            self.store.set("stripe_base", base)

    @contextmanager
    def caused_by(self, cause: Cause) -> Iterator[None]:
        before, self._cause = self._cause, cause
        try:
            yield
        finally:
            self._cause = before

    def emit(self, kind: str, thing: Thing, previous: Thing | None = None) -> Thing:
        data: Thing = {"object": copy.deepcopy(shown(thing))}
        if previous is not None:
            data["previous_attributes"] = previous
        endpoints = self.listeners(kind)
        event: Thing = {
            "id": new_id("evt_1"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": {"id": self._cause.request_id, "idempotency_key": self._cause.idempotency_key},
            "type": kind,
        }
        self.objects.add(event, self.now())
        self.sender.send(event, endpoints)
        return event

    def listeners(self, kind: str) -> list[Thing]:
        found = self.objects.all("webhook_endpoint", status="enabled")
        return [one for one in found if not one.get("deleted") and {"*", kind} & set(one["enabled_events"])]

    def list_of(self, url: str, kind: str, **equal: Any) -> Thing:
        """A list inside another object, newest first."""
        return listed(url, [shown(one) for one in reversed(self.objects.all(kind, **equal))])
