"""The sandbox calls our real address, in every way in which HeyGen's deliveries can go wrong."""

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
    """A thread of the server that were kept alive would outlive the test, and hold its database connection."""
    monkeypatch.setattr(WSGIRequestHandler, "protocol_version", "HTTP/1.0")


@pytest.fixture
def house(one_connection_a_request, live_server, sandbox, settings):
    """A pipeline whose webhooks HeyGen knows the way to."""
    settings.PUBLIC_URL = live_server.url
    assert webhook_registration.ensure_registered()
    return Pipeline(sandbox)


def order_two(house, mode: str) -> list[Video]:
    house.sandbox.configure(webhooks=mode, webhook_late_seconds=0.4, webhook_retry_scale=0.001)
    person = make_caller()
    return [house.rendered(house.order(person, "Hi.")) for _ in range(2)]


def answers(house) -> list[int | None]:
    """What we said to each delivery that was made."""
    return [attempt["answer"] for delivery in house.sandbox.records()["deliveries"] for attempt in delivery["attempts"]]


def work_off_all() -> None:
    for pk in WebhookDelivery.objects.filter(processed_at=None).values_list("pk", flat=True):
        incoming_webhooks.process_delivery(pk)


@pytest.mark.parametrize("mode", ["normal", "doubled", "late", "reordered", "bare"])
def test_true_deliveries_are_kept_once_and_end_the_render(house, mode):
    videos = order_two(house, mode)
    wait_until(lambda: WebhookDelivery.objects.count() == len(videos))
    work_off_all()
    assert [(fresh(video).status, fresh(video).learned_by) for video in videos] == [
        (Status.STORING, LearnedBy.WEBHOOK)
    ] * 2
    assert WebhookDelivery.objects.count() == 2


@pytest.mark.parametrize("mode", ["forged", "unsigned"])
def test_untrue_deliveries_are_refused_and_the_poller_ends_the_render(house, mode):
    videos = order_two(house, mode)
    wait_until(lambda: 401 in answers(house))
    assert set(answers(house)) == {401}
    assert WebhookDelivery.objects.count() == 0
    assert [house.poll(video).learned_by for video in videos] == [LearnedBy.POLL] * 2


def test_without_any_webhook_all_is_done_and_paid_once(house):
    house.sandbox.configure(webhooks="off")
    person = make_caller()
    video = house.run(house.order(person, "Hi."))
    assert (video.learned_by, house.renders(video), charged_once(person, video)) == (LearnedBy.POLL, 1, True)


def test_deliveries_of_every_kind_at_once_pay_once(house):
    house.sandbox.configure(webhooks="chaos", webhook_late_seconds=0.2, seed=7)
    person = make_caller(balance=100)
    videos = [house.order(person, "Hi.") for _ in range(4)]
    for video in videos:
        house.run(video)
    assert [house.renders(video) for video in videos] == [1] * 4
