"""Transactional outbox of webhook events: call it inside the transaction of the change; workers send afterwards."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.enums import ALL_EVENTS, EventType
from accounts.models import Delivery, EventCounter, OutgoingEvent, WebhookEndpoint
from accounts.webhooks.enqueueing import enqueue_delivery_on_commit
from genvid.api.renderers import dump
from genvid.leasing import from_now

Items = Iterable[tuple[str, Mapping[str, Any]]]
BATCH_SIZE = 500


def publish(account_id: UUID, event_type: str, data: Mapping[str, Any], *, object_id: str) -> None:
    """`data` is the API's representation of the object. Raises ValueError for an unknown type."""
    publish_many(account_id, event_type, [(object_id, data)])


def publish_many(account_id: UUID, event_type: str, items: Items) -> None:
    """Write one event per `(object_id, data)`. `items` is not read if no endpoint subscribes to the type."""
    kind = EventType(event_type)
    endpoints = WebhookEndpoint.objects.subscribed_to(account_id, kind)
    if endpoints:
        insert_events(account_id, kind, items, endpoints)


@transaction.atomic
def insert_events(account_id: UUID, kind: EventType, items: Items, endpoints: Sequence[UUID]) -> list[Delivery]:
    now, events = timezone.now(), []
    objects = [(str(object_id), data) for object_id, data in items]
    sequences = _next_sequence_numbers(account_id, [object_id for object_id, _ in objects])
    for (object_id, data), sequence in zip(objects, sequences, strict=True):
        event = OutgoingEvent(account_id=account_id, type=kind, object_id=object_id, sequence=sequence, created_at=now)
        event.body = _body(event, data)
        events.append(event)
    OutgoingEvent.objects.bulk_create(events, batch_size=BATCH_SIZE)
    times = {"created_at": now, "next_attempt_at": from_now()}
    deliveries = [Delivery(endpoint_id=pk, event=event, **times) for event in events for pk in endpoints]
    Delivery.objects.bulk_create(deliveries, batch_size=BATCH_SIZE)
    if deliveries:
        for pk in endpoints:
            enqueue_delivery_on_commit(pk)
    return deliveries


def _body(event: OutgoingEvent, data: Mapping[str, Any]) -> str:
    payload: dict[str, Any] = {"id": event.pk, "type": event.type, "created_at": event.created_at, "data": data}
    return dump(payload).decode()


def _next_sequence_numbers(account_id: UUID, object_ids: list[str]) -> list[int]:
    """Taken under a lock of each object's counter, so that numbers follow the order of commits."""
    wanted = Counter(object_ids)
    mine = EventCounter.objects.filter(account=account_id)
    EventCounter.objects.bulk_create(
        [EventCounter(account_id=account_id, object_id=object_id) for object_id in sorted(wanted)],
        ignore_conflicts=True,
        batch_size=BATCH_SIZE,
    )
    # Locked in one order, so that batches with common objects do not deadlock.
    counters = list(mine.filter(object_id__in=wanted).select_for_update().order_by("object_id"))
    last = {counter.object_id: counter.last for counter in counters}
    for step in set(wanted.values()):
        # Nearly always one statement; `bulk_update` is ten times slower.
        mine.filter(object_id__in=[each for each in wanted if wanted[each] == step]).update(last=F("last") + step)
    taken = []
    for object_id in object_ids:
        last[object_id] += 1
        taken.append(last[object_id])
    return taken


def subscribed_accounts(account_ids: Iterable[UUID], kind: EventType) -> set[UUID]:
    """Those of the accounts that have an endpoint for such events. One query."""
    enabled = WebhookEndpoint.objects.filter(account__in=list(account_ids), deleted_at=None, enabled=True)
    rows = enabled.order_by().values_list("account_id", "events")
    return {account_id for account_id, events in rows if kind in events or ALL_EVENTS in events}
