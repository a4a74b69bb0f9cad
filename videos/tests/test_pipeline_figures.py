"""Figures of the pipeline on the staff's home page, with values computed by hand; what is known of HeyGen's balance."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from genvid.tests.clocks import wait_where_near_the_end_of
from genvid.tests.factories import Person, make_video, set_balance
from genvid.tests.generated_rows import analyze, copy_row
from genvid.tests.query_plans import plan_of
from videos.models import Video
from videos.staff import pipeline_figures

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def one_hour() -> None:
    wait_where_near_the_end_of(HOUR)


def this_hour() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0)


def finished(owner: Person, *, seconds: int, at: datetime | None = None) -> Video:
    done = at or timezone.now()
    return make_video(owner, "completed", completed_at=done, queued_at=done - timedelta(seconds=seconds))


def test_videos_in_the_making_are_counted_by_what_they_wait_for(owner):
    since = timezone.now() - timedelta(minutes=9)
    for status in ("queued", "submitting", "rendering", "storing", "completed", "failed", "draft"):
        make_video(owner, status)
    make_video(owner, queued_at=since)
    found = pipeline_figures.in_making()
    assert (found.queued, found.in_flight, found.storing, found.oldest) == (2, 2, 1, since)


def test_nothing_in_the_making_has_no_oldest():
    assert pipeline_figures.in_making() == pipeline_figures.InMaking(0, 0, 0, None)


def test_depths_tell_what_waited_and_rendered_at_each_full_hour(owner):
    now = this_hour()
    moments = {"queued_at": now - 5 * HOUR, "submitted_at": now - 3 * HOUR, "rendered_at": now - 2 * HOUR}
    moved = {name: moment + timedelta(minutes=30) for name, moment in moments.items()}
    make_video(owner, "completed", **moved, completed_at=now - HOUR)
    found = pipeline_figures.depths()
    assert (found.hours[-1], len(found.hours)) == (now, 24)
    assert (found.queued[-5:], found.rendering[-5:]) == ([1, 1, 0, 0, 0], [0, 0, 1, 0, 0])


def test_depths_have_what_is_still_in_the_making(owner):
    now = this_hour()
    make_video(owner, queued_at=now - timedelta(days=3))
    make_video(owner, "rendering", queued_at=now - 3 * HOUR, submitted_at=now - 90 * timedelta(minutes=1))
    found = pipeline_figures.depths()
    assert (found.queued[0], found.queued[-3:], found.rendering[-3:]) == (1, [2, 1, 1], [0, 1, 1])


def test_outcomes_of_a_day_and_of_a_week(owner):
    for days, status in ((0, "completed"), (0, "completed"), (0, "failed"), (3, "completed"), (8, "completed")):
        make_video(owner, status, completed_at=timezone.now() - timedelta(days=days))
    make_video(owner, "failed", error_code="script_rejected", completed_at=timezone.now() - timedelta(days=2))
    make_video(owner, "canceled")
    day, week = pipeline_figures.outcomes()
    assert (day.completed, day.failed, day.percent, day.codes) == (2, 1, 66.7, {"render_failed": 1})
    assert (week.completed, week.failed, week.percent) == (3, 2, 60.0)
    assert week.codes == {"render_failed": 1, "script_rejected": 1}


def test_no_outcome_is_no_percentage():
    assert [each.percent for each in pipeline_figures.outcomes()] == [None, None]


def test_times_to_finish_are_nearest_ranks(owner):
    set_balance(owner, 500)
    done = timezone.now() - timedelta(seconds=1)
    for seconds in range(10, 210, 10):
        finished(owner, seconds=seconds, at=done)
    found = pipeline_figures.times()
    assert (found.p50, found.p95) == (100.0, 190.0)
    assert [each for each in found.p50_by_hour if each is not None] == [100.0]


def test_times_to_finish_are_apart_by_hour(owner):
    now = this_hour()
    finished(owner, seconds=60, at=now - 2 * HOUR)
    finished(owner, seconds=30, at=now - HOUR)
    found = pipeline_figures.times()
    assert (found.p50_by_hour[-3:], found.p95_by_hour[-3:]) == ([60.0, 30.0, None], [60.0, 30.0, None])


def test_times_of_an_idle_site_are_not_known():
    found = pipeline_figures.times()
    assert (found.p50, found.p95, set(found.p50_by_hour)) == (None, None, {None})


def test_test_videos_are_in_no_figure(owner):
    make_video(owner, is_test=True)
    make_video(owner, "completed", is_test=True)
    assert pipeline_figures.in_making().queued == 0
    assert pipeline_figures.outcomes()[1].completed == 0
    assert (sum(pipeline_figures.depths().queued), pipeline_figures.times().p50) == (0, None)


def test_figures_are_remembered_for_some_seconds(owner, monkeypatch):
    monkeypatch.setattr(pipeline_figures, "NOW_SECONDS", 600)
    assert pipeline_figures.in_making().queued == 0
    make_video(owner)
    assert pipeline_figures.in_making().queued == 0


@pytest.mark.parametrize("figure", ["in_making", "depths", "outcomes", "times"])
def test_a_figure_reads_no_old_video(owner, figure):
    video = make_video(owner, "completed")
    old = "now() - '100 days'::interval - n * '1 minute'::interval"
    moments: Any = dict.fromkeys(("created_at", "queued_at", "submitted_at", "completed_at"), old)
    copy_row(video, 5_000, id="gen_random_uuid()", provider_video_id="'r' || n", **moments)
    analyze(Video)
    plan = plan_of(getattr(pipeline_figures, figure), "videos_video")
    assert (plan.whole, "video_ended" in plan.indexes or figure == "in_making") == ([], True)
