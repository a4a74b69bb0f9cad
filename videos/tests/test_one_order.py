"""Exactly one paid render: what is asked again, when the asking ends, and what proves that nothing was made."""

from datetime import timedelta

import pytest
from django.utils import timezone

from genvid.heygen.heygen_errors import Busy, OperatorProblem, Refused, Unknown
from genvid.heygen.heygen_types import RemoteVideo, RenderState, Submission
from genvid.tests.factories import make_avatar, make_video
from videos.models import Video, VideoEvent, seconds_from_now
from videos.pipeline import submission, sweeper
from videos.tests.pipeline import charged_once, fresh, history, outcome_of, still_held

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(owner, heygen_double):
    """An order that a slot was given to a moment ago."""
    asks: list[str] = []
    video = make_video(owner, "submitting", avatar=make_avatar(), deadline_at=seconds_from_now(23 * 3600))

    def answer(client, spec, *, idempotency_key, callback_id):
        asks.append(idempotency_key)
        said = order.says.pop(0) if order.says else Submission("remote_of_it", "waiting")
        if isinstance(said, Exception):
            raise said
        return said

    def order(*says):
        order.says = list(says)
        return fresh(video)

    order.asks, order.listed, order.says = asks, [], []
    heygen_double.create = answer
    heygen_double.find_videos = lambda title: iter(order.listed)
    return order


def ask(video: Video) -> Video:
    Video.objects.filter(pk=video.pk).update(due_at=timezone.now())
    submission.submit_video(str(video.pk))
    return fresh(video)


def remote(title: str, name: str = "remote_found") -> RemoteVideo:
    return RemoteVideo(name, RenderState.RUNNING, "processing", title)


def let_deadline_come(video: Video, seconds: float = 0) -> None:
    Video.objects.filter(pk=video.pk).update(deadline_at=seconds_from_now(seconds), due_at=timezone.now())


def test_every_call_carries_the_key_that_was_stored_before_the_first(order):
    video = order(Unknown("timeout"), Busy("rate_limit_exceeded"), Unknown("http_502"))
    for _ in range(4):
        video = ask(video)
    assert order.asks == [video.idempotency_key] * 4
    assert (video.status, video.calls, video.attempt) == ("rendering", 4, 1)


# ── Another order's video


@pytest.mark.parametrize("title", ["genvid {pk} 10", "genvid {pk} 11", "copy of genvid {pk} 1", "GENVID {pk} 1"])
def test_a_video_of_another_title_is_not_taken_for_the_orders(order, title):
    video = order(Unknown("timeout"))
    ask(video)
    order.listed = [remote(title.format(pk=video.pk))]
    let_deadline_come(video)
    sweeper.sweep_all()
    assert outcome_of(video) == ("failed", "provider_unavailable", True)


def test_the_right_one_is_found_among_others(order):
    video = order(Unknown("timeout"))
    ask(video)
    order.listed = [remote(f"genvid {video.pk} 10", "tenth"), remote(f"genvid {video.pk} 1", "first")]
    let_deadline_come(video)
    sweeper.sweep_all()
    assert (fresh(video).status, fresh(video).provider_video_id) == ("rendering", "first")


# ── What proves absence


def test_a_refusal_right_after_an_unanswered_call_proves_nothing(order, owner):
    """HeyGen may list what that call made only later: the same key is sent again."""
    video = order(Unknown("timeout"), Refused("content_policy_violation"))
    ask(video)
    assert (ask(video).status, still_held(owner, video)) == ("submitting", True)
    order.listed = [remote(f"genvid {video.pk} 1")]
    order(Refused("content_policy_violation"))
    ask(video)
    assert history(video)[-1] == ("submitting", "rendering", "found_at_provider")


def test_a_refusal_that_lasts_is_one(order):
    video = order(Unknown("timeout"), *[Refused("content_policy_violation")] * 9)
    for _ in range(submission.LISTED_AFTER_TRIES + 1):
        video = ask(video)
    assert outcome_of(video) == ("failed", "content_refused", False)


def test_the_waits_before_a_refusal_counts_outlast_the_listing(order, settings):
    waits = [settings.VIDEO_RETRY_SECONDS * 2**tries for tries in range(submission.LISTED_AFTER_TRIES)]
    assert sum(waits) >= 60


def test_a_first_refusal_counts_at_once(order):
    video = order(Refused("content_policy_violation"))
    assert ask(video).status == "failed"


@pytest.mark.parametrize("error", [Busy("rate_limit_exceeded"), OperatorProblem("insufficient_credit")])
def test_a_refusal_of_an_answered_first_call_frees_the_key(order, error):
    video = ask(order(error))
    assert (video.status, video.idempotency_key) == ("queued", None)


# ── Near the end of the key's day


def test_no_call_is_made_shortly_before_the_deadline(order):
    """What the last call made must be listed when the deadline looks for it."""
    video = order()
    let_deadline_come(video, submission.QUIET_SECONDS - 1)
    video = ask(video)
    assert (order.asks, video.status) == ([], "submitting")
    assert abs((video.due_at - video.deadline_at).total_seconds()) < 1


def test_no_call_is_made_after_the_deadline_though_no_sweep_has_run(order):
    """A key of yesterday would make a second video."""
    video = order()
    let_deadline_come(video, -3600)
    assert (ask(video).status, order.asks) == ("submitting", [])


def test_no_wait_is_longer_than_the_deadline(order):
    video = order(Unknown("timeout", retry_after=6 * 3600.0))
    let_deadline_come(video, 3600)
    video = ask(video)
    assert video.due_at <= video.deadline_at + timedelta(seconds=1)


def test_a_short_deadline_still_leaves_time_to_ask(order, settings):
    settings.VIDEO_SUBMIT_DEADLINE = 60.0
    video = order()
    let_deadline_come(video, 60)
    assert ask(video).status == "rendering"


def test_at_the_deadline_what_is_not_listed_was_not_made(order, owner):
    video = order(Unknown("timeout"))
    ask(video)
    let_deadline_come(video)
    sweeper.sweep_all()
    assert outcome_of(video) == ("failed", "provider_unavailable", True)
    assert owner.wallet.held == 0


# ── Answers that come when the video has moved on


def test_an_order_taken_for_a_video_that_was_ended_meanwhile_is_remembered(order, heygen_double):
    video = order()

    def taken_too_late(client, spec, **_):
        Video.objects.filter(pk=video.pk).update(status="canceled")
        return Submission("orphan", "waiting")

    heygen_double.create = taken_too_late
    ask(video)
    assert (fresh(video).status, fresh(video).provider_video_id) == ("canceled", "orphan")


def test_an_answer_to_an_order_that_was_given_up_touches_the_new_one_not(order, heygen_double):
    video = order()

    def answered_late(client, spec, **_):
        Video.objects.filter(pk=video.pk).update(attempt=2, calls=0)
        return Submission("of_the_first", "waiting")

    heygen_double.create = answered_late
    events = VideoEvent.objects.count()
    assert (ask(video).status, fresh(video).provider_video_id) == ("submitting", None)
    assert VideoEvent.objects.count() == events


def test_an_answer_to_an_order_that_was_given_up_is_not_remembered_as_the_last_ones(order, heygen_double):
    video = order()

    def answered_late(client, spec, **_):
        Video.objects.filter(pk=video.pk).update(attempt=2, calls=0, status="canceled")
        return Submission("of_the_first", "waiting")

    heygen_double.create = answered_late
    events = VideoEvent.objects.count()
    assert (ask(video).status, fresh(video).provider_video_id) == ("canceled", None)
    assert VideoEvent.objects.count() == events


# ── With the sandbox


def test_an_order_that_was_never_answered_all_day_is_adopted_and_paid_once(pipeline, owner):
    pipeline.sandbox.fault(kind="lost", times=99, method="POST", path="/v3/videos")
    video = pipeline.submit(pipeline.order(owner))
    for _ in range(3):
        video = pipeline.submit(video)
    pipeline.make_due(video)
    pipeline.outlive(video)
    sweeper.sweep_all()
    assert history(video)[-1] == ("submitting", "rendering", "found_at_provider")
    assert pipeline.run(video).status == "completed"
    assert (pipeline.renders(video), charged_once(owner, video)) == (1, True)
