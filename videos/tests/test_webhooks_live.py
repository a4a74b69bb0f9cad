"""The sandbox posts deliveries to the real address, in all the ways in which HeyGen's can go wrong."""

import pytest
from django.core.servers.basehttp import WSGIRequestHandler

from genvid.tests.factories import make_caller
from videos.enums import LearnedBy, Status
from videos.models import Video, WebhookDelivery
from videos.pipeline import incoming_webhooks
from videos.provider import webhook_registration
from videos.tests.pipeline import Pipeline, charged_once, fresh, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def one_connection_a_request(monkeypatch):
    """A server thread that is kept alive would outlive the test and hold its database connection."""
    monkeypatch.setattr(WSGIRequestHandler, "protocol_version", "HTTP/1.0")


@pytest.fixture
def registered_pipeline(one_connection_a_request, live_server, sandbox, settings):
    """A pipeline with a webhook endpoint registered at HeyGen."""
    settings.PUBLIC_URL = live_server.url
    assert webhook_registration.ensure_registered()
    return Pipeline(sandbox)


def order_two(registered_pipeline, mode: str) -> list[Video]:
    registered_pipeline.sandbox.configure(webhooks=mode, webhook_late_seconds=0.4, webhook_retry_scale=0.001)
    person = make_caller()
    return [registered_pipeline.finish_render(registered_pipeline.order(person, "Hi.")) for _ in range(2)]


def answers(registered_pipeline) -> list[int | None]:
    """The status codes of our answers to the deliveries."""
    return [
        attempt["answer"]
        for delivery in registered_pipeline.sandbox.records()["deliveries"]
        for attempt in delivery["attempts"]
    ]


def work_off_all() -> None:
    for pk in WebhookDelivery.objects.filter(processed_at=None).values_list("pk", flat=True):
        incoming_webhooks.process_delivery(pk)


@pytest.mark.parametrize("mode", ["normal", "doubled", "late", "reordered", "bare"])
def test_genuine_deliveries_are_stored_once_and_end_the_render(registered_pipeline, mode):
    videos = order_two(registered_pipeline, mode)
    wait_until(lambda: WebhookDelivery.objects.count() == len(videos))
    work_off_all()
    assert [(fresh(video).status, fresh(video).learned_by) for video in videos] == [
        (Status.STORING, LearnedBy.WEBHOOK)
    ] * 2
    assert WebhookDelivery.objects.count() == 2


@pytest.mark.parametrize("mode", ["forged", "unsigned"])
def test_forged_deliveries_are_refused_and_the_poller_ends_the_render(registered_pipeline, mode):
    videos = order_two(registered_pipeline, mode)
    wait_until(lambda: 401 in answers(registered_pipeline))
    assert set(answers(registered_pipeline)) == {401}
    assert WebhookDelivery.objects.count() == 0
    assert [registered_pipeline.poll(video).learned_by for video in videos] == [LearnedBy.POLL] * 2


def test_videos_are_completed_and_charged_once_without_any_webhook(registered_pipeline):
    registered_pipeline.sandbox.configure(webhooks="off")
    person = make_caller()
    video = registered_pipeline.run(registered_pipeline.order(person, "Hi."))
    assert (video.learned_by, registered_pipeline.count_renders(video), charged_once(person, video)) == (
        LearnedBy.POLL,
        1,
        True,
    )


def test_mixed_concurrent_deliveries_charge_each_video_once(registered_pipeline):
    registered_pipeline.sandbox.configure(webhooks="chaos", webhook_late_seconds=0.2, seed=7)
    person = make_caller(balance=100)
    videos = [registered_pipeline.order(person, "Hi.") for _ in range(4)]
    for video in videos:
        registered_pipeline.run(video)
    assert [registered_pipeline.count_renders(video) for video in videos] == [1] * 4
