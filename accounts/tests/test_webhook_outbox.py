"""Events and deliveries are written in the transaction of the change."""

import json

import pytest
from django.db import transaction

from accounts.models import Delivery, OutgoingEvent, WebhookEndpoint
from accounts.webhooks.outgoing_events import publish, publish_many
from genvid.tests.asserts import nothing_changes, queries_of
from genvid.tests.factories import make_endpoint
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db


def publish_event(person, event_type="video.completed", object_id="v1", **data) -> None:
    publish(person.account.pk, event_type, {"id": object_id} | data, object_id=object_id)


def test_event_is_written_with_a_delivery_per_subscribed_endpoint(owner):
    endpoints = {make_endpoint(owner).pk, make_endpoint(owner, "video.completed").pk}
    make_endpoint(owner, "video.failed")
    publish_event(owner)
    event = OutgoingEvent.objects.get()
    assert (event.type, event.object_id, event.account_id) == ("video.completed", "v1", owner.account.pk)
    assert {delivery.endpoint_id for delivery in event.deliveries.all()} == endpoints


def test_event_body_matches_the_contract(owner):
    make_endpoint(owner)
    publish_event(owner, title="Grüße")
    event = OutgoingEvent.objects.get()
    body = json.loads(event.body)
    assert list(body) == ["id", "type", "created_at", "data"]
    assert body == {
        "id": event.pk,
        "type": "video.completed",
        "created_at": event.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "data": {"id": "v1", "title": "Grüße"},
    }


@pytest.mark.parametrize("fields", [{"enabled": False}, {"events": ["video.failed"]}])
def test_publishing_without_subscribers_takes_one_query(owner, fields):
    make_endpoint(owner, **fields)
    with nothing_changes():
        assert queries_of(lambda: publish_event(owner)) == 1


def test_publishing_without_subscribers_does_not_read_the_items(owner):
    publish_many(owner.account.pk, "video.queued", (pytest.fail("made") for _ in range(1)))


def test_endpoint_of_another_account_gets_no_event(owner, outsider):
    make_endpoint(outsider)
    with nothing_changes():
        publish_event(owner)


def test_publishing_an_unknown_event_type_raises_value_error(owner):
    make_endpoint(owner)
    with nothing_changes(), pytest.raises(ValueError, match="eaten"):
        publish_event(owner, "video.eaten")


def test_rolled_back_change_publishes_no_event(owner):
    make_endpoint(owner)
    with nothing_changes(), pytest.raises(ZeroDivisionError), transaction.atomic():
        publish_event(owner)
        1 / 0  # noqa: B018 - the failure


def test_events_of_one_object_are_numbered_in_order(owner):
    make_endpoint(owner)
    for event_type, object_id in [("video.queued", "a"), ("video.queued", "b"), ("video.completed", "a")]:
        publish_event(owner, event_type, object_id)
    rows = OutgoingEvent.objects.order_by("created_at").values_list("object_id", "type", "sequence")
    assert list(rows) == [("a", "video.queued", 1), ("b", "video.queued", 1), ("a", "video.completed", 2)]


def test_publishing_takes_three_queries_however_many_events(owner):
    """The endpoints; the numbers; the events with their deliveries."""
    make_endpoint(owner)

    def publish_events_of(*names: str) -> None:
        publish_many(owner.account.pk, "video.queued", ((name, {"id": name}) for name in names))

    with transaction.atomic():
        assert queries_of(lambda: publish_events_of("a", "b")) == 3
        assert queries_of(lambda: publish_events_of(*map(str, range(100)))) == 3
    assert (OutgoingEvent.objects.count(), Delivery.objects.count()) == (102, 102)


def test_one_object_twice_in_a_batch_gets_two_numbers(owner):
    make_endpoint(owner)
    publish_many(owner.account.pk, "video.queued", [("a", {"n": 1}), ("b", {"n": 2}), ("a", {"n": 3})])
    rows = [(json.loads(each.body)["data"]["n"], each.sequence) for each in OutgoingEvent.objects.all()]
    assert sorted(rows) == [(1, 1), (2, 1), (3, 2)]


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_get_different_sequence_numbers(owner):
    make_endpoint(owner)

    def both_ways(*names: str) -> None:
        publish_many(owner.account.pk, "video.queued", [(name, {}) for name in names])

    writers = [lambda: both_ways("a", "b"), lambda: both_ways("b", "a")] * 4
    assert in_parallel(writers) == [None] * 8
    assert sorted(OutgoingEvent.objects.filter(object_id="a").values_list("sequence", flat=True)) == list(range(1, 9))


def test_endpoint_deleted_during_publishing_does_not_fail_the_change(owner):
    """The endpoint is deleted after the subscribers were read; its row must exist when the change commits."""
    endpoint = make_endpoint(owner)
    with transaction.atomic():
        publish_event(owner)
        owner.client.delete(f"/api/v1/webhook-endpoints/{endpoint.pk}")
    assert (Delivery.objects.count(), WebhookEndpoint.objects.count()) == (1, 1)


def test_one_job_per_endpoint_is_enqueued_after_the_commit(owner, django_capture_on_commit_callbacks):
    make_endpoint(owner)
    make_endpoint(owner)
    with django_capture_on_commit_callbacks() as callbacks:
        publish_many(owner.account.pk, "video.queued", [("a", {}), ("b", {})])
    assert len(callbacks) == 2
