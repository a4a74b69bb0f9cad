"""What every operation is given: the objects, the current time, and the events."""

import copy
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from genvid.sandbox.options import Options
from genvid.sandbox.runtime_settings import StoredSettings
from genvid.sandbox.store import Store
from genvid.sandbox.stripe.defaults import ABSENT_FIELDS, defaults
from genvid.sandbox.stripe.object_store import Json, ObjectStore, list_object, new_id, public_fields
from genvid.sandbox.stripe.stripe_errors import StripeError, no_such
from genvid.sandbox.stripe.stripe_sender import StripeSender

API_VERSION = "2026-05-27.dahlia"
TEST_CLOCK = "test_helpers.test_clock"


@dataclass(frozen=True)
class Cause:
    """The API request that caused an event. Events caused by time have none."""

    request_id: str | None = None
    idempotency_key: str | None = None


class StripeCore:
    def __init__(self, store: Store, settings: StoredSettings, options: Options) -> None:
        self.store, self.settings = store, settings
        self.stripe_key = options.stripe_key
        self.in_progress: set[str] = set()
        """Idempotency-Keys of requests that are being handled."""
        self.objects = ObjectStore(store)
        self.sender = StripeSender(store, settings)
        self._own_base, self._public_url = options.url, options.public_url.rstrip("/")
        self._cause = Cause()
        self._time: int | None = None
        self._clock: str | None = None

    def get(self, kind: str, object_id: str, param: str = "id") -> Json:
        """The object, which may be deleted. Raises StripeError, naming `param`, if it is missing or of another kind."""
        found = self.objects.find(object_id)
        if found is None or found["object"] != kind:
            raise no_such(kind, object_id, param, 404 if param == "id" else 400)
        return found

    def get_existing(self, kind: str, object_id: str, param: str = "id") -> Json:
        found = self.get(kind, object_id, param)
        if found.get("deleted"):
            raise no_such(kind, object_id, param, 404 if param == "id" else 400)
        return found

    def new(self, kind: str, prefix: str, **fields: Any) -> Json:
        if "id" in fields and self.objects.find(fields["id"]) is not None:
            message = f"{kind.capitalize()} already exists."
            raise StripeError(message, code="resource_already_exists", param="id")
        now = self.now()
        made = {"id": new_id(prefix), "object": kind, "created": now, "livemode": False, **defaults(kind), **fields}
        for name in ABSENT_FIELDS.get(kind, ()):
            del made[name]
        if "test_clock" in made:
            made["test_clock"] = self._clock
        self.objects.add(made, now, made["id"] if kind == TEST_CLOCK else self._clock)
        return made

    def save(self, obj: Json, **fields: Any) -> Json:
        obj.update(fields)
        self.objects.save(obj)
        return obj

    def change(self, obj: Json, event: str, **fields: Any) -> Json:
        """Saves the fields and sends the event, if any value is new."""
        before = {name: copy.deepcopy(obj.get(name)) for name, value in fields.items() if obj.get(name) != value}
        self.save(obj, **fields)
        before = {name: value for name, value in before.items() if not name.startswith("_")}
        if before:
            self.emit(event, obj, before)
        return obj

    def delete(self, obj: Json, event: str | None = None) -> Json:
        """Replaces the object by what Stripe shows of a deleted one."""
        if event is not None:
            self.emit(event, obj)
        return self.save({"id": obj["id"], "object": obj["object"], "deleted": True})

    def now(self) -> int:
        return int(time.time() + self.store.setting("stripe_clock", 0)) if self._time is None else self._time

    @contextmanager
    def at_time(self, moment: int | None, clock: str | None) -> Iterator[None]:
        """Runs at this time of this test clock; None is the sandbox's own time."""
        before = self._time, self._clock
        self._time, self._clock = moment, clock
        try:
            yield
        finally:
            self._time, self._clock = before

    @contextmanager
    def on_clock_of(self, object_ids: Iterable[str]) -> Iterator[None]:
        """Runs in the time of the test clock that one of these objects is on, if any is."""
        clock = next(filter(None, map(self.objects.clock_of, object_ids)), None)
        moment = self.get(TEST_CLOCK, clock).get("frozen_time") if clock else None
        with self.at_time(moment, None if moment is None else clock):
            yield

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

    def emit(self, kind: str, obj: Json, previous: Json | None = None) -> Json:
        data: Json = {"object": copy.deepcopy(public_fields(obj))}
        if previous is not None:
            data["previous_attributes"] = previous
        endpoints = self.listeners(kind)
        event: Json = {
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
        self.objects.add(event, event["created"], None)
        self.sender.send(event, endpoints)
        return event

    def listeners(self, kind: str) -> list[Json]:
        found = self.objects.all("webhook_endpoint", status="enabled")
        return [one for one in found if not one.get("deleted") and {"*", kind} & set(one["enabled_events"])]

    def list_of(self, url: str, kind: str, **equal: Any) -> Json:
        return list_object(url, [public_fields(one) for one in reversed(self.objects.all(kind, **equal))])
