"""Transactional outbox of webhook events: call it inside the transaction of the change; workers send afterwards."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts.enums import ALL_EVENTS, EventType
from accounts.models import Delivery, EventCounter, OutgoingEvent, WebhookEndpoint
from accounts.webhooks.enqueueing import enqueue_delivery_on_commit
from genvid import database_clock
from genvid.api.renderers import dump
from genvid.compiled_queries import CompiledQuery
from genvid.leasing import from_now
from genvid.statements import add_to_counters, insert_together
from genvid.transactions import joined

Items = Iterable[tuple[str, Mapping[str, Any]]]
BATCH_SIZE = 500


def publish(account_id: UUID, event_type: str, data: Mapping[str, Any], *, object_id: str) -> None:
    """`data` is the API's representation of the object. Raises ValueError for an unknown type."""
    publish_many(account_id, event_type, [(object_id, data)])


def publish_many(account_id: UUID, event_type: str, items: Items) -> None:
    """Write one event per `(object_id, data)`. `items` is not read if no endpoint subscribes to the type."""
    kind = EventType(event_type)
    endpoints = endpoints_for(account_id, kind)
    if endpoints:
        insert_events(account_id, kind, items, endpoints)


def endpoints_for(account_id: UUID, kind: EventType) -> list[UUID]:
    """Ids of the endpoints that take such events. One query."""
    rows = _enabled.rows(account_id=account_id)
    return [pk for pk, events in rows if kind in events or ALL_EVENTS in events]


def _enabled_endpoints(account_id: UUID) -> QuerySet[WebhookEndpoint, Any]:
    rows = WebhookEndpoint.objects.of(account_id).filter(enabled=True)
    return rows.order_by("created_at", "id").values_list("pk", "events")


_enabled = CompiledQuery(_enabled_endpoints)


def subscribed_accounts(account_ids: Iterable[UUID], event_type: EventType) -> set[UUID]:
    """Those of the accounts that have an endpoint for the type."""
    enabled = WebhookEndpoint.objects.filter(account__in=list(account_ids), deleted_at=None, enabled=True)
    rows = enabled.order_by().values_list("account_id", "events")
    return {account_id for account_id, events in rows if event_type in events or ALL_EVENTS in events}


@joined()
def insert_events(account_id: UUID, kind: EventType, items: Items, endpoints: Sequence[UUID]) -> list[Delivery]:
    objects = [(str(object_id), data) for object_id, data in items]
    sequences = _next_sequence_numbers(account_id, [object_id for object_id, _ in objects])
    numbered = [(object_id, data, number) for (object_id, data), number in zip(objects, sequences, strict=True)]
    events, deliveries = _rows(account_id, kind, numbered, endpoints)
    if events:
        insert_together([*events, *deliveries])
    return deliveries


def first_event(account_id: UUID, kind: EventType, items: Items, endpoints: Sequence[UUID]) -> list[Model]:
    """The rows of events of new objects, for the caller to insert together with these; none without `endpoints`."""
    if not endpoints:
        return []
    numbered = [(object_id, data, 1) for object_id, data in items]
    counters = [EventCounter(account_id=account_id, object_id=object_id, last=1) for object_id, _, _ in numbered]
    events, deliveries = _rows(account_id, kind, numbered, endpoints)
    return [*counters, *events, *deliveries]


def forget_counters(account_ids: Iterable[UUID], object_ids: Iterable[str]) -> int:
    """Of objects that no event tells of any more: their numbers would restart."""
    mine = EventCounter.objects.filter(account__in=set(account_ids), object_id__in=list(object_ids))
    return mine.delete()[0]


def _rows(
    account_id: UUID, kind: EventType, numbered: Iterable[tuple[str, Mapping[str, Any], int]], endpoints: Sequence[UUID]
) -> tuple[list[OutgoingEvent], list[Delivery]]:
    """Rows to insert; the deliveries are enqueued on commit."""
    now, events = database_clock.now(), []
    for object_id, data, sequence in numbered:
        event = OutgoingEvent(account_id=account_id, type=kind, object_id=object_id, sequence=sequence, created_at=now)
        event.body = _body(event, data)
        events.append(event)
    times = {"created_at": now, "next_attempt_at": from_now()}
    deliveries = [Delivery(endpoint_id=pk, event=event, **times) for event in events for pk in endpoints]
    if deliveries:
        for pk in endpoints:
            enqueue_delivery_on_commit(pk)
    return events, deliveries


def _body(event: OutgoingEvent, data: Mapping[str, Any]) -> str:
    payload: dict[str, Any] = {"id": event.pk, "type": event.type, "created_at": event.created_at, "data": data}
    return dump(payload).decode()


def _next_sequence_numbers(account_id: UUID, object_ids: list[str]) -> list[int]:
    """Taken under a lock of each object's counter, so that numbers follow the order of commits."""
    wanted = Counter(object_ids)
    # In one order, so that batches with common objects do not deadlock.
    steps = [EventCounter(account_id=account_id, object_id=each, last=wanted[each]) for each in sorted(wanted)]
    taken: dict[str, int] = {}
    for start in range(0, len(steps), BATCH_SIZE):
        chunk = steps[start : start + BATCH_SIZE]
        for counter in add_to_counters(chunk, unique=("account", "object_id"), column="last"):
            taken[counter.object_id] = counter.last - wanted[counter.object_id]
    numbers = []
    for object_id in object_ids:
        taken[object_id] += 1
        numbers.append(taken[object_id])
    return numbers
