"""Render times learned from completed videos, and when polling may rely on webhooks."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from genvid.tests.factories import make_avatar, make_caller, make_video, set_balance
from videos.enums import LearnedBy, Status
from videos.models import ProviderOutage, RenderTime, Video
from videos.pipeline import poll_intervals, polling
from videos.queue import render_times
from videos.queue.render_times import RenderTimes
from videos.tests.pipeline import fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def still_clock():
    """The clock stands still, so that due times do not depend on the speed of the machine."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def history(db):
    """Completed renders of the given durations, learned by webhook unless said otherwise."""
    person, avatar = make_caller(), make_avatar()
    set_balance(person, 10_000)
    template = make_video(person, "completed", avatar=avatar)

    def add(*seconds: float, by: str = LearnedBy.WEBHOOK, length: int = 8, **facts) -> None:
        now = timezone.now()
        fields = {f.attname: getattr(template, f.attname) for f in Video._meta.concrete_fields if f.attname != "id"}
        fields |= {"idempotency_key": None, "provider_video_id": None, "estimated_seconds": length, "learned_by": by}
        Video.objects.bulk_create(
            Video(**fields | {"submitted_at": began, "accepted_at": began, "rendered_at": now} | facts)
            for began in (now - timedelta(seconds=took) for took in seconds)
        )
        cache.clear()

    Video.objects.filter(pk=template.pk).update(rendered_at=None)
    return add


def rendering_video(*, ago: float, due_in: float, expected: int = 100) -> Video:
    now = timezone.now()
    facts = {"submitted_at": now - timedelta(seconds=ago), "due_at": now + timedelta(seconds=due_in)}
    return make_video(make_caller(), Status.RENDERING, expected_render_seconds=expected, **facts)


def test_render_times_are_those_of_the_settings_before_anything_is_measured(settings):
    settings.EXPECTED_RENDER_BASE, settings.EXPECTED_RENDER_FACTOR = 10, 2
    assert render_times.render_times_for("avatar_iv", 20) == RenderTimes(25, 50, 100, 200)


def test_render_times_are_learned_from_enough_renders(history):
    history(*range(1, 101))
    render_times.learn_render_times()
    cache.clear()
    assert render_times.render_times_for("avatar_iv", 5) == RenderTimes(
        *[pytest.approx(value, abs=0.2) for value in (5.95, 50.5, 90.1, 99.01)]
    )


def test_render_times_are_not_learned_from_few_renders(history):
    history(*[7.0] * (render_times.MIN_SAMPLES - 1))
    render_times.learn_render_times()
    assert RenderTime.objects.count() == 0


def test_each_length_of_script_has_its_own_render_times(history):
    history(*[10.0] * 20, length=10)
    history(*[99.0] * 20, length=11)
    render_times.learn_render_times()
    cache.clear()
    assert [round(render_times.render_times_for("avatar_iv", length).p50) for length in (10, 11, 20)] == [10, 99, 99]


def test_render_times_by_heygens_clock_go_before_ours(history, still_clock):
    end = timezone.now() - timedelta(seconds=50)
    history(*[60.0] * 20, provider_finished_at=end)
    render_times.learn_render_times()
    assert RenderTime.objects.get().p50 == pytest.approx(10, abs=1)


def test_render_times_ignore_old_renders(history):
    history(*[10.0] * 30, rendered_at=timezone.now() - render_times.HISTORY - timedelta(hours=1))
    render_times.learn_render_times()
    assert RenderTime.objects.count() == 0


def test_learning_again_replaces_the_learned_render_times(history):
    history(*[10.0] * 20)
    render_times.learn_render_times()
    render_times.learn_render_times()
    assert RenderTime.objects.get().samples == 20


@pytest.mark.parametrize(
    ("webhooks", "polls", "arrive"), [(0, 0, False), (0, 20, False), (16, 4, True), (15, 5, False)]
)
def test_webhooks_are_trusted_while_most_renders_are_learned_from_them(history, webhooks, polls, arrive):
    history(*[1.0] * polls, by=LearnedBy.POLL)
    history(*[1.0] * webhooks)
    assert render_times.webhooks_arrive() is arrive


@pytest.mark.parametrize(("by", "arrive"), [(LearnedBy.WEBHOOK, True), (LearnedBy.POLL, False), ("history", False)])
def test_webhooks_are_not_trusted_after_three_renders_without_one(history, by, arrive):
    history(*[1.0] * 20)
    assert render_times.webhooks_arrive() is True
    history(*[1.0] * render_times.MAX_MISSED_WEBHOOKS, by=by)
    assert render_times.webhooks_arrive() is arrive


def test_the_first_poll_is_timed_from_the_order_not_from_its_acceptance(settings, still_clock):
    video = rendering_video(ago=30, due_in=0, expected=100)
    assert render_times.seconds_to_first_poll(video) == pytest.approx(20, abs=1)


def test_a_render_whose_order_took_long_is_polled_in_a_second(still_clock):
    video = rendering_video(ago=3000, due_in=0, expected=100)
    assert render_times.seconds_to_first_poll(video) == pytest.approx(1, abs=0.5)


def test_the_first_poll_without_webhooks_is_due_when_any_render_may_be_done(history):
    history(*range(1, 101), by=LearnedBy.POLL)
    render_times.learn_render_times()
    cache.clear()
    video = rendering_video(ago=0, due_in=0)
    assert render_times.first_poll(video) == pytest.approx(5.95)


def test_the_first_poll_with_webhooks_is_due_when_all_renders_should_be_done(history):
    history(*range(1, 101))
    render_times.learn_render_times()
    cache.clear()
    video = rendering_video(ago=0, due_in=0)
    assert render_times.first_poll(video) == pytest.approx(99.01 * 1.25 + 5)


# ── When webhooks stop


def test_late_polls_are_brought_forward_when_webhooks_stop():
    video = rendering_video(ago=200, due_in=1000)
    assert polling.poll_sooner() == 1
    assert fresh(video).due_at <= timezone.now()


def test_a_poll_that_is_not_late_is_not_brought_forward():
    video = rendering_video(ago=10, due_in=100, expected=1000)
    before = video.due_at
    assert (polling.poll_sooner(), fresh(video).due_at) == (0, before)


def test_no_poll_is_brought_forward_while_webhooks_arrive(history):
    history(*[1.0] * 20)
    video = rendering_video(ago=200, due_in=1000)
    before = video.due_at
    assert (polling.poll_sooner(), fresh(video).due_at) == (0, before)


@pytest.mark.parametrize(("elapsed", "pause"), [(1, 1), (60, 6), (600, 60), (6000, 600), (80_000, 3600)])
def test_a_long_render_is_polled_at_growing_intervals(elapsed, pause):
    now = timezone.now()
    video = Video(submitted_at=now - timedelta(seconds=elapsed))
    assert poll_intervals.interval_for(video, now) == pause


@pytest.mark.parametrize(("render", "pause"), [(10, 1), (30, 1), (60, 3), (180, 8), (300, 15), (1200, 60)])
@pytest.mark.parametrize("share", [0.6, 1.0, 3.9])
def test_a_render_is_polled_densest_while_its_end_is_expected(render, pause, share):
    now = timezone.now()
    video = Video(submitted_at=now - timedelta(seconds=render * share), expected_render_seconds=render)
    assert poll_intervals.interval_for(video, now) == pause


def test_render_times_count_from_heygens_acceptance(history):
    """Orders that waited ten minutes to be taken."""
    now = timezone.now()
    waited = {"submitted_at": now - timedelta(minutes=11), "accepted_at": now - timedelta(minutes=1)}
    history(*[0.0] * render_times.MIN_SAMPLES, **waited)
    render_times.learn_render_times()
    assert round(RenderTime.objects.get().p99) == 60


def test_orders_whose_acceptance_nobody_saw_are_not_learned_from(history):
    history(*[60.0] * render_times.MIN_SAMPLES, accepted_at=None)
    render_times.learn_render_times()
    assert RenderTime.objects.count() == 0


@pytest.mark.parametrize("is_over", [True, False])
def test_renders_whose_end_was_noticed_in_an_outage_are_not_learned_from(history, is_over):
    now = timezone.now()
    began, ended = now - timedelta(minutes=6), now - timedelta(seconds=30) if is_over else None
    ProviderOutage.objects.create(began_at=began, ended_at=ended, is_over=is_over)
    history(*[400.0] * render_times.MIN_SAMPLES)
    render_times.learn_render_times()
    assert RenderTime.objects.count() == 0


def test_renders_whose_end_heygen_dates_are_learned_from_in_an_outage_too(history):
    now = timezone.now()
    ProviderOutage.objects.create(began_at=now - timedelta(minutes=6))
    history(*[400.0] * render_times.MIN_SAMPLES, provider_finished_at=now - timedelta(seconds=300))
    render_times.learn_render_times()
    assert round(RenderTime.objects.get().p99) == 100


def test_a_render_before_an_outage_is_learned_from(history):
    now = timezone.now()
    ProviderOutage.objects.create(began_at=now - timedelta(days=1), ended_at=now - timedelta(hours=23), is_over=True)
    history(*[60.0] * render_times.MIN_SAMPLES)
    render_times.learn_render_times()
    assert round(RenderTime.objects.get().p99) == 60
