"""Exactly one paid render: repeated calls, the deadline of an order, and adoption of what was made."""

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
    """A video whose slot was handed out a moment ago."""
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


def send_order(video: Video) -> Video:
    Video.objects.filter(pk=video.pk).update(due_at=timezone.now())
    submission.submit_video(str(video.pk))
    return fresh(video)


def remote(title: str, name: str = "remote_found") -> RemoteVideo:
    return RemoteVideo(name, RenderState.RUNNING, "processing", title)


def set_deadline(video: Video, seconds: float = 0) -> None:
    Video.objects.filter(pk=video.pk).update(deadline_at=seconds_from_now(seconds), due_at=timezone.now())


def test_every_order_call_carries_the_key_stored_before_the_first_call(order):
    video = order(Unknown("timeout"), Busy("rate_limit_exceeded"), Unknown("http_502"))
    for _ in range(4):
        video = send_order(video)
    assert order.asks == [video.idempotency_key] * 4
    assert (video.status, video.calls, video.attempt) == ("rendering", 4, 1)


# ── Another order's video


@pytest.mark.parametrize("title", ["genvid {pk} 10", "genvid {pk} 11", "copy of genvid {pk} 1", "GENVID {pk} 1"])
def test_a_video_of_another_title_is_not_adopted(order, title):
    video = order(Unknown("timeout"))
    send_order(video)
    order.listed = [remote(title.format(pk=video.pk))]
    set_deadline(video)
    sweeper.sweep_all()
    assert outcome_of(video) == ("failed", "provider_unavailable", True)


def test_the_video_of_an_order_is_found_among_others(order):
    video = order(Unknown("timeout"))
    send_order(video)
    order.listed = [remote(f"genvid {video.pk} 10", "tenth"), remote(f"genvid {video.pk} 1", "first")]
    set_deadline(video)
    sweeper.sweep_all()
    assert (fresh(video).status, fresh(video).provider_video_id) == ("rendering", "first")


# ── Refusals


def test_a_refusal_right_after_an_unanswered_call_does_not_fail_the_video(order, owner):
    """HeyGen may list the video of that call only later, so the order is repeated with its key."""
    video = order(Unknown("timeout"), Refused("content_policy_violation"))
    send_order(video)
    assert (send_order(video).status, still_held(owner, video)) == ("submitting", True)
    order.listed = [remote(f"genvid {video.pk} 1")]
    order(Refused("content_policy_violation"))
    send_order(video)
    assert history(video)[-1] == ("submitting", "rendering", "found_at_provider")


def test_a_refusal_that_lasts_fails_the_video(order):
    video = order(Unknown("timeout"), *[Refused("content_policy_violation")] * 9)
    for _ in range(submission.LISTED_AFTER_TRIES + 1):
        video = send_order(video)
    assert outcome_of(video) == ("failed", "content_refused", False)


def test_the_waits_before_a_refusal_counts_outlast_the_listing(order, settings):
    waits = [settings.VIDEO_RETRY_SECONDS * 2**tries for tries in range(submission.LISTED_AFTER_TRIES)]
    assert sum(waits) >= 60


def test_a_refusal_of_the_first_call_fails_the_video_at_once(order):
    video = order(Refused("content_policy_violation"))
    assert send_order(video).status == "failed"


@pytest.mark.parametrize("error", [Busy("rate_limit_exceeded"), OperatorProblem("insufficient_credit")])
def test_a_refusal_of_an_answered_first_call_frees_the_key(order, error):
    video = send_order(order(error))
    assert (video.status, video.idempotency_key) == ("queued", None)


# ── Near the deadline of the order


def test_no_order_call_is_made_shortly_before_the_deadline(order):
    """A video made by the last call must be listed by the deadline."""
    video = order()
    set_deadline(video, submission.QUIET_SECONDS - 1)
    video = send_order(video)
    assert (order.asks, video.status) == ([], "submitting")
    assert abs((video.due_at - video.deadline_at).total_seconds()) < 1


def test_no_order_call_is_made_after_the_deadline_though_no_sweep_has_run(order):
    """HeyGen forgets a key after a day: a later call would make a second video."""
    video = order()
    set_deadline(video, -3600)
    assert (send_order(video).status, order.asks) == ("submitting", [])


def test_no_wait_between_order_calls_is_longer_than_the_deadline(order):
    video = order(Unknown("timeout", retry_after=6 * 3600.0))
    set_deadline(video, 3600)
    video = send_order(video)
    assert video.due_at <= video.deadline_at + timedelta(seconds=1)


def test_a_short_deadline_still_leaves_time_for_a_repeated_order_call(order, settings):
    settings.VIDEO_SUBMIT_DEADLINE = 60.0
    video = order()
    set_deadline(video, 60)
    assert send_order(video).status == "rendering"


def test_an_order_that_is_not_listed_at_the_deadline_was_not_made(order, owner):
    video = order(Unknown("timeout"))
    send_order(video)
    set_deadline(video)
    sweeper.sweep_all()
    assert outcome_of(video) == ("failed", "provider_unavailable", True)
    assert owner.wallet.held == 0


# ── Late answers


def test_a_render_accepted_for_a_video_that_has_ended_is_recorded(order, heygen_double):
    video = order()

    def taken_too_late(client, spec, **_):
        Video.objects.filter(pk=video.pk).update(status="canceled")
        return Submission("orphan", "waiting")

    heygen_double.create = taken_too_late
    send_order(video)
    assert (fresh(video).status, fresh(video).provider_video_id) == ("canceled", "orphan")


def test_an_answer_to_a_given_up_order_leaves_the_new_order_alone(order, heygen_double):
    video = order()

    def answered_late(client, spec, **_):
        Video.objects.filter(pk=video.pk).update(attempt=2, calls=0)
        return Submission("of_the_first", "waiting")

    heygen_double.create = answered_late
    events = VideoEvent.objects.count()
    assert (send_order(video).status, fresh(video).provider_video_id) == ("submitting", None)
    assert VideoEvent.objects.count() == events


def test_an_answer_to_a_given_up_order_is_not_recorded_for_the_last_order(order, heygen_double):
    video = order()

    def answered_late(client, spec, **_):
        Video.objects.filter(pk=video.pk).update(attempt=2, calls=0, status="canceled")
        return Submission("of_the_first", "waiting")

    heygen_double.create = answered_late
    events = VideoEvent.objects.count()
    assert (send_order(video).status, fresh(video).provider_video_id) == ("canceled", None)
    assert VideoEvent.objects.count() == events


def test_an_answer_with_the_id_of_another_video_is_not_recorded(order, owner):
    """The refused statement undoes no more than itself, so that the order can be tried again."""
    other = make_video(owner, "rendering")
    video = send_order(order(Submission(str(other.provider_video_id), "waiting")))
    assert (video.status, video.provider_video_id, video.tries) == ("submitting", None, 1)


# ── With the sandbox


def test_an_order_unanswered_all_day_is_adopted_and_charged_once(pipeline, owner):
    pipeline.sandbox.fault(kind="lost", times=99, method="POST", path="/v3/videos")
    video = pipeline.submit(pipeline.order(owner))
    for _ in range(3):
        video = pipeline.submit(video)
    pipeline.make_due(video)
    pipeline.expire_deadline(video)
    sweeper.sweep_all()
    assert history(video)[-1] == ("submitting", "rendering", "found_at_provider")
    assert pipeline.run(video).status == "completed"
    assert (pipeline.count_renders(video), charged_once(owner, video)) == (1, True)
