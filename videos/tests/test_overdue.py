"""Videos past their deadline: few are ended, many are left to staff, and a wrong clock ends none."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from genvid.tests.factories import PASSWORD, make_video, set_balance
from videos import tasks
from videos.enums import PROCESSING, Status
from videos.models import OperatorAlarm, Video, seconds_from_now
from videos.pipeline import overdue, sweeper
from videos.pipeline.overdue import MAX_AT_ONCE
from videos.tests.pipeline import fresh

pytestmark = pytest.mark.django_db
READ = {"method": "GET", "path": "/v3/videos"}


@pytest.fixture
def make_waiting(owner, avatar):
    """Makes queued videos, so many of them overdue."""
    set_balance(owner, 10_000)

    def make(*, late: int, in_time: int) -> None:
        for _ in range(late):
            make_video(owner, avatar=avatar, deadline_at=seconds_from_now(-1))
        for _ in range(in_time):
            make_video(owner, avatar=avatar, deadline_at=seconds_from_now(3600))

    return make


def count_failed() -> int:
    return Video.objects.filter(status=Status.FAILED).count()


# ── Clocks


@pytest.mark.parametrize("hours", [30, -30])
def test_a_worker_whose_clock_is_wrong_by_thirty_hours_ends_no_render(owner, avatar, heygen_double, hours):
    for _ in range(3):
        make_video(owner, Status.RENDERING, avatar=avatar, deadline_at=seconds_from_now(86_400))
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        sweeper.sweep_all()
    assert set(Video.objects.values_list("status", flat=True)) == {Status.RENDERING}


def test_a_clock_beyond_the_last_deadline_ends_no_render_that_heygen_says_nothing_of(pipeline, owner, settings):
    pipeline.sandbox.configure(stuck=True)
    video = pipeline.submit(pipeline.order(owner))
    pipeline.expire_deadline(video)
    path = f"/v3/videos/{video.provider_video_id}"
    pipeline.sandbox.fault(kind="status", status=503, method="GET", path=path, times=9)
    with time_machine.travel(timezone.now() + timedelta(seconds=2 * settings.VIDEO_LAST_DEADLINE)):
        overdue.end_overdue()
    video = fresh(video)
    assert (video.status, video.deadline_at > timezone.now()) == (Status.RENDERING, True)


# ── Many at once


def test_a_few_overdue_videos_are_ended_however_few_wait(make_waiting):
    make_waiting(late=MAX_AT_ONCE, in_time=0)
    overdue.end_overdue()
    assert (count_failed(), OperatorAlarm.objects.count()) == (MAX_AT_ONCE, 0)


def test_more_are_ended_where_they_are_a_third_of_those_that_wait(make_waiting):
    make_waiting(late=MAX_AT_ONCE + 1, in_time=2 * (MAX_AT_ONCE + 1))
    overdue.end_overdue()
    assert (count_failed(), OperatorAlarm.objects.count()) == (MAX_AT_ONCE + 1, 0)


def test_of_more_than_a_third_none_is_ended_and_staff_are_alarmed_once(make_waiting):
    make_waiting(late=MAX_AT_ONCE + 1, in_time=MAX_AT_ONCE)
    for _ in range(2):
        overdue.end_overdue()
    (alarm,) = OperatorAlarm.objects.all()
    assert (count_failed(), alarm.code, alarm.count) == (0, "many_videos_overdue", 1)
    assert alarm.text.startswith("6 of 11 videos in status queued are past their deadline.")


def test_many_overdue_videos_of_one_status_do_not_keep_those_of_another(make_waiting, owner, avatar, monkeypatch):
    """Neither by their share, nor by filling the batch."""
    monkeypatch.setattr(overdue, "BATCH_SIZE", MAX_AT_ONCE + 1)
    make_waiting(late=MAX_AT_ONCE + 1, in_time=0)
    lost = make_video(owner, Status.STORING, avatar=avatar, deadline_at=seconds_from_now(0))
    overdue.end_overdue()
    assert (count_failed(), fresh(lost).status) == (1, "failed")


def test_a_few_of_each_status_are_not_ended_where_they_are_most_of_what_is_in_work(owner, avatar):
    set_balance(owner, 1_000)
    for status in PROCESSING:
        for _ in range(MAX_AT_ONCE):
            make_video(owner, status, avatar=avatar, deadline_at=seconds_from_now(0))
    with_nothing_late = make_video(owner, Status.RENDERING, avatar=avatar, deadline_at=seconds_from_now(600))
    overdue.end_overdue()
    [alarm] = OperatorAlarm.objects.all()
    assert (count_failed(), alarm.code) == (0, "many_videos_overdue")
    assert alarm.text.startswith("15 of 16 videos in status rendering, storing, submitting are past their deadline.")
    assert fresh(with_nothing_late).status == Status.RENDERING


# ── Staff go on


@pytest.fixture
def many(make_waiting) -> int:
    make_waiting(late=MAX_AT_ONCE + 2, in_time=1)
    return MAX_AT_ONCE + 2


def test_a_worker_ends_all_once_staff_said_so(many):
    tasks.end_overdue()
    assert (count_failed(), Video.objects.filter(status=Status.QUEUED).count()) == (many, 1)


def test_staff_go_on_by_a_command(many, woken, django_capture_on_commit_callbacks, capsys):
    with django_capture_on_commit_callbacks(execute=True):
        call_command("end_overdue", by="sam")
    assert (woken, capsys.readouterr().out) == ([("videos.end_overdue",)], "A worker ends 7 overdue videos.\n")
    detail = AuditEntry.objects.get(act="staff.video_action").detail
    assert detail == {"action": "end_overdue_videos", "by": "sam", "count": "7"}


def test_staff_go_on_in_the_admin_after_confirming(many, woken, django_capture_on_commit_callbacks):
    staff, page = Client(), reverse("admin:videos_providerstate_end_overdue_videos")
    staff.force_login(User.objects.create_superuser("staff@example.com", PASSWORD))
    assert f"{many} videos are past the deadline" in staff.get(page).content.decode()
    assert woken == []
    with django_capture_on_commit_callbacks(execute=True):
        staff.post(page, {"confirmed": "yes"})
    assert woken == [("videos.end_overdue",)]
    assert AuditEntry.objects.get(act="staff.video_action").detail["by"] == "staff@example.com"
