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
from genvid.sandbox.stripe.errors import no_such
from genvid.sandbox.stripe.object_store import ObjectStore, Thing, listed, new_id, shown
from genvid.sandbox.stripe.stripe_sender import StripeSender

API_VERSION = "2026-05-27.dahlia"


@dataclass(frozen=True)
class Cause:
    """The API request an event came of; events that come of time have none."""

    request_id: str | None = None
    idempotency_key: str | None = None


def owner(thing: Thing) -> str | None:
    """The customer in whose time a thing lives. `_customer` is for what does not show whose it is."""
    found = thing["id"] if thing.get("object") == "customer" else thing.get("customer") or thing.get("_customer")
    return found if isinstance(found, str) else None


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
        self._moments: list[int] = []

    # Objects

    def get(self, kind: str, object_id: str, param: str = "id") -> Thing:
        thing = self.objects.find(object_id)
        if thing is None or thing["object"] != kind:
            raise no_such(kind, object_id, param, 404 if param == "id" else 400)
        return thing

    def alive(self, kind: str, object_id: str, param: str = "id") -> Thing:
        """One that was not deleted."""
        thing = self.get(kind, object_id, param)
        if thing.get("deleted"):
            raise no_such(kind, object_id, param, 404 if param == "id" else 400)
        return thing

    def new(self, kind: str, prefix: str, **fields: Any) -> Thing:
        """A new object, in the time and on the clock of its customer."""
        customer = owner(fields)
        thing = {"id": new_id(prefix), "object": kind, "created": self.now(customer), "livemode": False, **fields}
        self.objects.add(thing, fields.get("test_clock") or (self.objects.clock_of(customer) if customer else None))
        return thing

    def save(self, thing: Thing, **fields: Any) -> Thing:
        thing.update(fields)
        self.objects.save(thing)
        return thing

    def change(self, thing: Thing, event: str, **fields: Any) -> Thing:
        """Saves these fields and tells of what changed; of nothing, when nothing did."""
        before = {name: copy.deepcopy(thing.get(name)) for name, value in fields.items() if thing.get(name) != value}
        self.save(thing, **fields)
        before = {name: value for name, value in before.items() if not name.startswith("_")}
        if before:
            self.emit(event, thing, before)
        return thing

    # Time

    def now(self, customer: Any = None) -> int:
        """The current time of a customer: its test clock's, or else the sandbox's."""
        if self._moments:
            return self._moments[-1]
        clock = self.objects.clock_of(customer) if isinstance(customer, str) else None
        if clock is not None:
            return int(self.get("test_helpers.test_clock", clock)["frozen_time"])
        return int(time.time() + self.store.setting("stripe_clock", 0))

    @contextmanager
    def moment(self, at: int) -> Iterator[None]:
        """Whatever happens inside happens then."""
        self._moments.append(at)
        try:
            yield
        finally:
            self._moments.pop()

    # Where its pages are

    @property
    def base(self) -> str:
        return self._public_url or str(self.store.setting("stripe_base", self._own_base))

    def reached_at(self, base: str) -> None:
        """Without a public address, pages are linked under the name that the last API request came by."""
        if base != self.base:
            self.store.set("stripe_base", base)

    # Events

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
        event = {
            "id": new_id("evt_1"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(owner(thing)),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": {"id": self._cause.request_id, "idempotency_key": self._cause.idempotency_key},
            "type": kind,
        }
        self.objects.add(event)
        self.sender.send(event, endpoints)
        return event

    def listeners(self, kind: str) -> list[Thing]:
        found = self.objects.all("webhook_endpoint", status="enabled")
        return [one for one in found if not one.get("deleted") and {"*", kind} & set(one["enabled_events"])]

    def list_of(self, url: str, kind: str, **equal: Any) -> Thing:
        """A short list inside an object, newest first."""
        return listed(url, [shown(one) for one in reversed(self.objects.all(kind, **equal))])
