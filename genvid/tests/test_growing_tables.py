"""The tables that grow with every video have no index that another one makes needless, and none that nobody asks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Delivery, IdempotencyRecord, OutgoingEvent
from avatars.models import Upload
from billing.models import CreditLot, Hold, LedgerEntry
from genvid.tests.factories import Person, grant, make_endpoint, make_video
from genvid.tests.generated_rows import analyze, copy_row
from genvid.tests.query_plans import indexes_of, plan_of
from videos.models import Batch, Speech, Video, VideoEvent, WebhookDelivery

pytestmark = pytest.mark.django_db
COUNT = 3_000
GROWING = (
    *(Video, VideoEvent, Batch, WebhookDelivery, Hold, LedgerEntry, CreditLot),
    *(OutgoingEvent, Delivery, IdempotencyRecord, Speech, Upload),
)


def columns_and_condition(definition: str) -> tuple[list[str], str]:
    columns, _, condition = definition.split(" USING btree (", 1)[1].partition(" WHERE ")
    return [column.split()[0] for column in columns.rstrip(")").split(", ")], condition


@pytest.mark.parametrize("model", GROWING, ids=lambda model: model.__name__)
def test_no_index_begins_another_or_is_for_like(model):
    found = indexes_of(model._meta.db_table)
    assert [name for name, text in found.items() if "_pattern_ops" in text] == []
    parsed = {name: columns_and_condition(text) for name, text in found.items()}
    needless = [
        (short, long)
        for short, (few, condition) in parsed.items()
        for long, (many, other) in parsed.items()
        if len(few) < len(many) and many[: len(few)] == few and other in ("", condition)
    ]
    assert needless == []


def fill(row: Any, **columns: str) -> Any:
    copy_row(row, COUNT, **columns)
    analyze(type(row))
    return row


def hold(owner: Person) -> Any:
    key = "gen_random_uuid()"
    return fill(make_hold(owner), id=key, reference="'video:' || gen_random_uuid()")


def make_hold(owner: Person) -> Hold:
    make_video(owner)
    return Hold.objects.get()


def ledger_entry(owner: Person) -> Any:
    grant(owner, 10)
    entry = LedgerEntry.objects.order_by("-sequence")[0]
    return fill(
        entry,
        id="gen_random_uuid()",
        sequence="n + 100",
        reference="'x' || n",
        created_at="now() + n * '1 s'::interval",
    )


def video_event(owner: Person) -> Any:
    video = make_video(owner)
    events = VideoEvent.objects.filter(video=video)
    fill(video, id="md5('video' || n)::uuid", idempotency_key="NULL")
    return fill(events[0], video_id="md5('video' || n)::uuid")


def outgoing_event(owner: Person) -> Any:
    make_endpoint(owner)
    make_video(owner)
    event = OutgoingEvent.objects.order_by("-created_at")[0]
    return fill(event, id="'evt_' || md5(n::text)", object_id="'o' || n")


def delivery(owner: Person) -> Any:
    outgoing_event(owner)
    return fill(Delivery.objects.all()[0], id="gen_random_uuid()", event_id="'evt_' || md5(n::text)")


def idempotency_record(owner: Person) -> Any:
    row = IdempotencyRecord.objects.create(account=owner.account, key="0", fingerprint="", claimed_at=timezone.now())
    return fill(row, key="'k' || n")


def webhook_delivery(owner: Person) -> Any:
    delivery = WebhookDelivery.objects.create(key="0", event_type="x", payload={}, callback_id="c")
    return fill(delivery, key="'k' || n", callback_id="'c' || n")


CASES: dict[str, tuple[Callable[[Person], Any], Callable[[Any], Any], str]] = {
    "hold of a video": (hold, lambda row: Hold.objects.filter(reference=row.reference), "billing_hold_reference_key"),
    "last entry": (
        ledger_entry,
        lambda row: LedgerEntry.objects.filter(wallet=row.wallet_id).order_by("-sequence")[:1],
        "entry_order",
    ),
    "page of the ledger": (
        ledger_entry,
        lambda row: LedgerEntry.objects.filter(wallet=row.wallet_id).order_by("-created_at", "-id")[:21],
        "entry_page",
    ),
    "events of a video": (
        video_event, lambda row: VideoEvent.objects.filter(video=row.video_id).order_by("pk"), "event_page"
    ),
    "event by id": (outgoing_event, lambda row: OutgoingEvent.objects.filter(pk=row.pk), "accounts_outgoingevent_pkey"),
    "deliveries of an event": (
        delivery, lambda row: Delivery.objects.filter(event="evt_0").order_by(), "accounts_delivery_event_id_1e037ef4"
    ),
    "answer of an idempotency key": (
        idempotency_record,
        lambda row: IdempotencyRecord.objects.filter(account=row.account_id, key=row.key),
        "idempotency_key_unique",
    ),
    "webhooks of a video": (
        webhook_delivery, lambda row: WebhookDelivery.objects.filter(callback_id="c7").order_by(), "delivery_of_video"
    ),
    "webhook that came before": (
        webhook_delivery, lambda row: WebhookDelivery.objects.filter(key="k7"), "videos_webhookdelivery_key_key"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_query_uses_the_index_that_is_left(owner, name):
    made, query, index = CASES[name]
    row = made(owner)
    plan = plan_of(lambda: list(query(row)), row._meta.db_table)
    assert (plan.indexes, plan.whole) == ({index}, [])
