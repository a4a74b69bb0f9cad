"""A worker that dies before any statement of the second half: the next one completes the video, once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from genvid.heygen.heygen_types import RenderState, WebhookNotice
from genvid.tests.factories import make_caller, make_video
from videos.enums import WAITING, Status
from videos.models import Video, WebhookDelivery
from videos.pipeline import incoming_webhooks, polling, storage
from videos.provider import heygen_clients, provider_gate
from videos.tests.fake_heygen import Crash, FakeHeyGen, Render
from videos.tests.pipeline import Money, fresh, history, money_of

pytestmark = pytest.mark.django_db(transaction=True)
MOST_STATEMENTS = 40


@pytest.fixture
def heygen(monkeypatch):
    fake = FakeHeyGen()
    for module in (heygen_clients, provider_gate, incoming_webhooks, polling):
        monkeypatch.setattr(module, "get_client", lambda: fake)
    return fake


@contextmanager
def dying_at(number: int) -> Iterator[None]:
    """Kills the worker before its statement of that number, from 0. Its connection is lost."""
    left = [number]

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        if left[0] == 0:
            raise Crash
        left[0] -= 1
        return execute(*args)

    with connection.execute_wrapper(count):
        yield


def rendering(person: Any, heygen: FakeHeyGen, avatar: Any, state: RenderState) -> Video:
    video = make_video(person, Status.RENDERING, avatar=avatar)
    Video.objects.filter(pk=video.pk).update(submitted_at=timezone.now() - timedelta(minutes=1))
    name, failure = str(video.provider_video_id), "rendering_failed" if state is RenderState.FAILED else ""
    heygen.renders[name] = Render(name, f"genvid {video.pk} 1", 2, state, failure)
    return fresh(video)


def work(video: Video) -> None:
    """The webhook comes, a worker works it off, and another stores the files."""
    incoming_webhooks.store_delivery(
        WebhookNotice(f"evt_{video.pk}", "avatar_video.success", video.provider_video_id, None, {})
    )
    for pk in WebhookDelivery.objects.filter(processed_at=None).values_list("pk", flat=True):
        incoming_webhooks.process_delivery(pk)
    storage.store_video(str(video.pk))


def lives_of(person: Any, heygen: FakeHeyGen, avatar: Any, state: RenderState) -> Iterator[Video]:
    """A video for each statement at which its worker died, after the next worker, until one has not died."""
    for number in range(MOST_STATEMENTS):
        video, died = rendering(person, heygen, avatar, state), True
        with suppress(Crash), dying_at(number):
            work(video)
            died = False
        Video.objects.filter(status__in=WAITING, due_at__isnull=False).update(due_at=timezone.now())
        work(video)
        yield fresh(video)
        if not died:
            return
    pytest.fail(f"more than {MOST_STATEMENTS} statements")


def test_a_video_whose_worker_dies_at_any_statement_is_completed_and_charged_once(heygen, avatar):
    person, spent = make_caller(balance=1000), 0
    for count, video in enumerate(lives_of(person, heygen, avatar, RenderState.COMPLETED), 1):
        spent += video.credits_charged
        assert (video.status, video.credits_held, video.credits_charged) == ("completed", 0, 2)
        assert history(video)[-2:] == [("rendering", "storing", "rendered"), ("storing", "completed", "stored")]
        assert len(history(video)) == 6
        assert money_of(person) == Money(balance=1000 - spent, charges=count)
    assert count > 12


def test_a_video_whose_worker_dies_at_any_statement_fails_once_and_costs_nothing(heygen, avatar):
    person = make_caller(balance=1000)
    for video in lives_of(person, heygen, avatar, RenderState.FAILED):
        assert (video.status, video.credits_held, video.credits_charged) == ("failed", 0, 0)
        assert history(video)[-1] == ("rendering", "failed", "failed_at_provider")
        assert len(history(video)) == 5
        assert money_of(person) == Money(balance=1000)
