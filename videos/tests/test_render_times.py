"""How long renders take, learned from rows; and when the poller may wait for webhooks."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from genvid.tests.factories import make_avatar, make_caller, make_video, set_balance
from videos.enums import LearnedBy, Status
from videos.models import RenderTime, Video
from videos.pipeline import polling
from videos.queue import render_times
from videos.queue.render_times import RenderTimes
from videos.tests.pipeline import fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def still_clock():
    """What is due in 50 seconds is so however long the machine takes to look."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def history(db):
    """Renders of the past, that took what is given; made known by webhook unless said otherwise."""
    person, avatar = make_caller(), make_avatar()
    set_balance(person, 10_000)
    template = make_video(person, "completed", avatar=avatar)

    def add(*seconds: float, by: str = LearnedBy.WEBHOOK, length: int = 8, **facts) -> None:
        now = timezone.now()
        fields = {f.attname: getattr(template, f.attname) for f in Video._meta.concrete_fields if f.attname != "id"}
        fields |= {"idempotency_key": None, "provider_video_id": None, "estimated_seconds": length, "learned_by": by}
        Video.objects.bulk_create(
            Video(**fields | {"submitted_at": now - timedelta(seconds=took), "rendered_at": now} | facts)
            for took in seconds
        )
        cache.clear()

    Video.objects.filter(pk=template.pk).update(rendered_at=None)
    return add


def rendering_video(*, ago: float, due_in: float, expected: int = 100) -> Video:
    now = timezone.now()
    facts = {"submitted_at": now - timedelta(seconds=ago), "due_at": now + timedelta(seconds=due_in)}
    return make_video(make_caller(), Status.RENDERING, expected_render_seconds=expected, **facts)


def test_before_anything_is_measured_the_settings_speak(settings):
    settings.EXPECTED_RENDER_BASE, settings.EXPECTED_RENDER_FACTOR = 10, 2
    assert render_times.render_times_for("avatar_iv", 20) == RenderTimes(25, 50, 100, 200)


def test_a_pace_is_learned_from_enough_renders(history):
    history(*range(1, 101))
    render_times.learn_render_times()
    cache.clear()
    assert render_times.render_times_for("avatar_iv", 5) == RenderTimes(
        *[pytest.approx(value, abs=0.2) for value in (5.95, 50.5, 90.1, 99.01)]
    )


def test_few_renders_teach_nothing(history):
    history(*[7.0] * (render_times.ENOUGH - 1))
    render_times.learn_render_times()
    assert RenderTime.objects.count() == 0


def test_each_length_has_a_pace_of_its_own(history):
    history(*[10.0] * 20, length=10)
    history(*[99.0] * 20, length=11)
    render_times.learn_render_times()
    cache.clear()
    assert [round(render_times.render_times_for("avatar_iv", length).p50) for length in (10, 11, 20)] == [10, 99, 99]


def test_heygens_own_clock_goes_before_ours(history, still_clock):
    end = timezone.now() - timedelta(seconds=50)
    history(*[60.0] * 20, provider_finished_at=end)
    render_times.learn_render_times()
    assert RenderTime.objects.get().p50 == pytest.approx(10, abs=1)


def test_old_renders_are_forgotten(history):
    history(*[10.0] * 30, rendered_at=timezone.now() - render_times.HISTORY - timedelta(hours=1))
    render_times.learn_render_times()
    assert RenderTime.objects.count() == 0


def test_learning_again_replaces_what_was_learned(history):
    history(*[10.0] * 20)
    render_times.learn_render_times()
    render_times.learn_render_times()
    assert RenderTime.objects.get().samples == 20


@pytest.mark.parametrize(
    ("webhooks", "polls", "arrive"), [(0, 0, False), (0, 20, False), (16, 4, True), (15, 5, False)]
)
def test_webhooks_are_trusted_while_most_renders_come_by_them(history, webhooks, polls, arrive):
    history(*[1.0] * polls, by=LearnedBy.POLL)
    history(*[1.0] * webhooks)
    assert render_times.webhooks_arrive() is arrive


@pytest.mark.parametrize(("by", "arrive"), [(LearnedBy.WEBHOOK, True), (LearnedBy.POLL, False), ("history", False)])
def test_three_in_a_row_without_a_webhook_end_the_trust(history, by, arrive):
    history(*[1.0] * 20)
    assert render_times.webhooks_arrive() is True
    history(*[1.0] * render_times.MAX_MISSED_WEBHOOKS, by=by)
    assert render_times.webhooks_arrive() is arrive


def test_the_first_poll_counts_from_the_order_not_from_its_acceptance(settings, still_clock):
    video = rendering_video(ago=30, due_in=0, expected=100)
    assert render_times.seconds_to_first_poll(video) == pytest.approx(20, abs=1)


def test_an_order_that_was_long_under_way_is_asked_about_in_a_second(still_clock):
    video = rendering_video(ago=3000, due_in=0, expected=100)
    assert render_times.seconds_to_first_poll(video) == pytest.approx(1, abs=0.5)


def test_without_webhooks_the_first_poll_comes_when_any_render_may_be_done(history):
    history(*range(1, 101), by=LearnedBy.POLL)
    render_times.learn_render_times()
    cache.clear()
    video = rendering_video(ago=0, due_in=0)
    assert render_times.first_poll(video) == pytest.approx(5.95)


def test_with_webhooks_the_first_poll_comes_when_all_renders_should_be_done(history):
    history(*range(1, 101))
    render_times.learn_render_times()
    cache.clear()
    video = rendering_video(ago=0, due_in=0)
    assert render_times.first_poll(video) == pytest.approx(99.01 * 1.25 + 5)


# ── When webhooks stop


def test_polls_that_were_put_off_are_pulled_forward_when_webhooks_stop():
    video = rendering_video(ago=200, due_in=1000)
    assert polling.poll_sooner() == 1
    assert fresh(video).due_at <= timezone.now()


def test_a_poll_that_is_not_late_stays():
    video = rendering_video(ago=10, due_in=100, expected=1000)
    before = video.due_at
    assert (polling.poll_sooner(), fresh(video).due_at) == (0, before)


def test_nothing_is_pulled_forward_while_webhooks_come(history):
    history(*[1.0] * 20)
    video = rendering_video(ago=200, due_in=1000)
    before = video.due_at
    assert (polling.poll_sooner(), fresh(video).due_at) == (0, before)


@pytest.mark.parametrize(("elapsed", "pause"), [(1, 1), (60, 4), (600, 60), (6000, 600), (80_000, 3600)])
def test_a_long_render_is_asked_about_more_and_more_seldom(elapsed, pause):
    now = timezone.now()
    video = Video(submitted_at=now - timedelta(seconds=elapsed))
    assert polling.interval_for(video, now) == pause
