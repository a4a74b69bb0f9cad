"""Definite answers of HeyGen: at the order, when a render is read, and when it has failed."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.db.models import F

from genvid.mail.models import QueuedMail
from genvid.tests.factories import make_video
from genvid.tests.mail import send_due_mail
from videos import operator_alarms
from videos.enums import Status
from videos.models import OperatorAlarm, Video, seconds_from_now
from videos.pipeline import overdue, polling, sweeper
from videos.tests.pipeline import (
    CREATE,
    UNTOUCHED,
    charged_once,
    fresh,
    gate,
    history,
    money_of,
    outcome_of,
    still_held,
)

pytestmark = pytest.mark.django_db
READ = {"method": "GET", "path": "/v3/videos/????????????????????????????????"}
BULK = {"method": "GET", "path": "/v3/videos/statuses"}
TEXT = "Their own words about sk_V2_secret"


@pytest.fixture(autouse=True)
def reachable_staff(settings):
    settings.ALARM_EMAILS = ["ops@example.com"]


def alarm_codes() -> list[str]:
    return list(OperatorAlarm.objects.order_by("pk").values_list("code", flat=True))


def pass_every_deadline(video: Video) -> None:
    """Set the acceptance of the order so far back that every deadline is over."""
    Video.objects.filter(pk=video.pk).update(moved_at=seconds_from_now(-72 * 3600), deadline_at=seconds_from_now(0))


# ── At the order


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("Hi. [[refuse:tier_not_support]]", "tier_not_support"),
        ("Hi. [[refuse:user_blocked]]", "user_blocked"),
        ("Hi. [[refuse:resource_limit_exceeded]]", "resource_limit_exceeded"),
    ],
)
def test_an_operator_problem_at_the_order_fails_no_video(pipeline, owner, script, code):
    video = pipeline.submit(pipeline.order(owner, script))
    assert (video.status, gate().code, gate().needs_staff) == ("queued", code, True)
    assert still_held(owner, video)
    sweeper.sweep_all()
    send_due_mail("staff_alarm")
    assert [message.subject for message in mail.outbox] == ["[genvid] HeyGen takes no orders"]


def test_a_concurrency_limit_counts_as_busy_whatever_its_code(pipeline, owner):
    busy = {"status": 400, "code": "resource_limit_exceeded", "message": "Too many concurrent videos."}
    pipeline.sandbox.fault(kind="status", **busy, **CREATE)
    video = pipeline.submit(pipeline.order(owner))
    assert (video.status, gate().code, gate().needs_staff) == ("queued", "resource_limit_exceeded", False)
    pipeline.end_gate_wait()
    assert pipeline.run(video).status == Status.COMPLETED
    assert charged_once(owner, video)


def test_an_unknown_error_code_raises_an_alarm_that_is_mailed_once(pipeline, owner):
    for _ in range(2):
        pipeline.sandbox.fault(kind="status", status=400, code="a_code_of_next_year", message=TEXT, **CREATE)
        assert outcome_of(pipeline.submit(pipeline.order(owner)))[:2] == ("failed", "invalid_request")
    (alarm,) = OperatorAlarm.objects.all()
    assert (alarm.code, alarm.count) == ("unknown_provider_code", 2)
    assert operator_alarms.mail_alarms() == 0
    send_due_mail("staff_alarm")
    assert [("a_code_of_next_year" in message.body, message.subject) for message in mail.outbox] == [
        (True, "[genvid] Alarm: unknown_provider_code")
    ]


# ── When a render is read


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("content_policy_violation", "content_refused"),
        ("avatar_not_usable", "avatar_unavailable"),
        ("voice_unavailable", "voice_unavailable"),
        ("invalid_parameter", "invalid_request"),
    ],
)
def test_a_refusal_when_a_video_is_read_fails_it(pipeline, owner, code, ours):
    video = pipeline.poll(pipeline.finish_render(pipeline.order(owner, f"Hi. [[unreadable:{code}]]")))
    assert outcome_of(video) == ("failed", ours, False)
    assert history(video)[-1] == ("rendering", "failed", "refused_by_provider")
    assert (money_of(owner), video.credits_held, gate().code, alarm_codes()) == (UNTOUCHED, 0, "", [])


def test_a_refusal_at_the_deadline_fails_the_video(pipeline, owner):
    video = pipeline.submit(pipeline.order(owner, "Hi. [[stuck]] [[unreadable:content_policy_violation]]"))
    pipeline.expire_deadline(video)
    overdue.end_overdue()
    assert outcome_of(video) == ("failed", "content_refused", False)
    assert money_of(owner) == UNTOUCHED


def test_a_refusal_when_the_file_is_fetched_fails_the_video(pipeline, owner, settings):
    video = pipeline.reach_storing(pipeline.order(owner, "Hi. [[expired]]"))
    pipeline.sandbox.fault(kind="status", status=400, code="content_policy_violation", message=TEXT, **READ)
    Video.objects.filter(pk=video.pk).update(render_links=None)
    assert outcome_of(pipeline.store(video)) == ("failed", "content_refused", False)
    assert money_of(owner) == UNTOUCHED


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "unauthorized"), (402, "insufficient_credit"), (403, "forbidden"), (400, "user_blocked"), (403, None)],
)
def test_an_operator_problem_fails_no_rendering_video(pipeline, owner, status, code):
    video = pipeline.finish_render(pipeline.order(owner))
    pipeline.sandbox.fault(kind="status", status=status, code=code, **READ)
    video = pipeline.poll(video)
    assert (video.status, gate().needs_staff) == ("rendering", True)
    assert still_held(owner, video)
    pipeline.sandbox.clear_faults()
    assert pipeline.run(video).status == Status.COMPLETED
    assert charged_once(owner, video)


def test_a_429_at_a_read_closes_the_gate_for_a_moment_and_fails_no_video(pipeline, owner):
    video = pipeline.finish_render(pipeline.order(owner))
    pipeline.sandbox.fault(kind="status", status=429, retry_after=40, **READ)
    video = pipeline.poll(video)
    assert (video.status, gate().code, gate().needs_staff) == ("rendering", "rate_limit_exceeded", False)
    assert alarm_codes() == ["status_reads_refused"]
    assert pipeline.run(video).status == Status.COMPLETED


@pytest.mark.parametrize(
    ("status", "code"), [(400, "a_code_of_next_year"), (409, "resource_not_ready"), (500, None), (422, None)]
)
def test_an_error_that_is_no_refusal_of_the_video_does_not_fail_it(pipeline, owner, status, code):
    video = pipeline.finish_render(pipeline.order(owner))
    pipeline.sandbox.fault(kind="status", status=status, code=code, times=9, **READ)
    assert pipeline.poll(video).status == "rendering"
    pipeline.sandbox.clear_faults()
    assert pipeline.run(video).status == Status.COMPLETED


def test_a_video_that_breaks_the_bulk_read_holds_up_no_other(pipeline, owner, outsider):
    spoiled = pipeline.finish_render(pipeline.order(owner, "Hi. [[unreadable:content_policy_violation]]"))
    good = pipeline.finish_render(pipeline.order(outsider))
    pipeline.sandbox.fault(kind="status", status=400, code="content_policy_violation", **BULK)
    Video.objects.filter(status=Status.RENDERING).update(due_at=seconds_from_now(0))
    polling.poll_due()
    assert (fresh(spoiled).error_code, fresh(good).status) == ("content_refused", "storing")


# ── The last deadline


def test_an_unanswered_read_moves_the_deadline_but_never_beyond_the_last(pipeline, owner):
    video = pipeline.submit(pipeline.order(owner, "Hi. [[stuck]]"))
    pipeline.sandbox.fault(kind="status", status=503, times=9, **READ)
    taken_at = seconds_from_now(-72 * 3600 + 600)
    Video.objects.filter(pk=video.pk).update(moved_at=taken_at, deadline_at=seconds_from_now(0))
    overdue.end_overdue()
    video = fresh(video)
    assert (video.status, (video.deadline_at - taken_at).total_seconds()) == ("rendering", 72 * 3600)
    assert still_held(owner, video)


@pytest.mark.parametrize(("status", "code"), [(503, None), (400, "a_code_of_next_year"), (401, None), (422, None)])
def test_a_video_fails_after_its_last_deadline_whatever_heygen_says(pipeline, owner, status, code):
    video = pipeline.submit(pipeline.order(owner, "Hi. [[stuck]]"))
    pipeline.sandbox.fault(kind="status", status=status, code=code, times=9, **READ)
    pass_every_deadline(video)
    overdue.end_overdue()
    assert outcome_of(video) == ("failed", "render_timeout", True)
    assert (money_of(owner), "given_up_without_word" in alarm_codes()) == (UNTOUCHED, True)


def test_an_unanswered_order_has_a_last_deadline(pipeline, owner):
    video = pipeline.order(owner)
    pipeline.dispatch()
    pipeline.sandbox.fault(kind="status", status=503, times=9, method="GET", path="/v3/videos")
    pass_every_deadline(video)
    Video.objects.filter(pk=video.pk).update(due_at=seconds_from_now(-1))
    overdue.end_overdue()
    assert outcome_of(video) == ("failed", "provider_unavailable", True)
    assert (money_of(owner), alarm_codes()) == (UNTOUCHED, ["given_up_without_word"])


def test_the_last_deadline_is_configurable(pipeline, owner, settings):
    settings.VIDEO_LAST_DEADLINE = 60.0
    video = pipeline.submit(pipeline.order(owner, "Hi. [[stuck]]"))
    pipeline.sandbox.fault(kind="status", status=503, times=9, **READ)
    Video.objects.filter(pk=video.pk).update(moved_at=seconds_from_now(-61), deadline_at=seconds_from_now(0))
    overdue.end_overdue()
    assert outcome_of(video)[1] == "render_timeout"


# ── When it has failed


def test_a_render_that_failed_because_heygen_was_busy_is_ordered_again(pipeline, owner):
    pipeline.sandbox.configure(failure_code="rate_limit_exceeded", failure_message="Too many concurrent renders.")
    video = pipeline.poll(pipeline.finish_render(pipeline.order(owner)))
    assert history(video)[-1] == ("rendering", "queued", "provider_busy")
    assert (gate().needs_staff, still_held(owner, video)) == (False, True)
    pipeline.sandbox.configure(failure_code=None, failure_message=None)
    pipeline.end_gate_wait()
    assert pipeline.run(video).status == Status.COMPLETED
    assert charged_once(owner, video)


def test_a_render_that_failed_for_our_plan_waits_for_staff(pipeline, owner):
    pipeline.sandbox.configure(
        failure_code="rendering_failed", failure_message="Not part of your plan: please upgrade."
    )
    video = pipeline.poll(pipeline.finish_render(pipeline.order(owner)))
    assert (video.status, gate().needs_staff) == ("queued", True)
    assert still_held(owner, video)


# ── Alarms


@pytest.mark.django_db(transaction=True)
def test_an_alarm_that_is_rolled_back_is_not_mailed():
    with pytest.raises(RuntimeError), transaction.atomic():
        operator_alarms.raise_alarm("test", "one", "It happened.")
        raise RuntimeError
    assert (OperatorAlarm.objects.count(), QueuedMail.objects.count()) == (0, 0)


def test_a_continuing_alarm_is_mailed_again_the_next_day():
    operator_alarms.raise_alarm("test", "one", "It happened.")
    operator_alarms.raise_alarm("test", "one", "It happened again.")
    assert operator_alarms.mail_alarms() == 0
    OperatorAlarm.objects.update(mailed_at=F("mailed_at") - timedelta(days=1))
    assert [operator_alarms.mail_alarms(), operator_alarms.mail_alarms()] == [1, 0]
    send_due_mail("staff_alarm")
    assert ["It happened." in mail.outbox[0].body, "It happened again." in mail.outbox[1].body] == [True, True]
    assert "2 times since" in mail.outbox[1].body


def test_alarms_are_kept_for_ninety_days():
    operator_alarms.raise_alarm("test", "old", "It happened.")
    OperatorAlarm.objects.update(last_at=seconds_from_now(-91 * 24 * 3600))
    operator_alarms.raise_alarm("test", "new", "It happened.")
    operator_alarms.mail_alarms()
    assert list(OperatorAlarm.objects.values_list("key", flat=True)) == ["test:new"]


def test_an_error_without_a_video_of_ours_raises_no_alarm(owner):
    make_video(owner)
    sweeper.sweep_all()
    assert alarm_codes() == []
