"""Polling of renders: few calls, no render read twice, none forgotten."""

import threading
from datetime import timedelta

import pytest
from django.db.models import CharField
from django.db.models.functions import Cast
from django.utils import timezone

from genvid.heygen.heygen_errors import Unknown
from genvid.heygen.heygen_types import RemoteVideo, RenderState
from genvid.tests.clocks import still_clocks
from genvid.tests.factories import make_avatar, make_video, set_balance
from genvid.tests.parallel import in_parallel
from videos.enums import LearnedBy, Status
from videos.models import Video
from videos.pipeline import polling
from videos.queue import render_times
from videos.tests.doubles import HeyGenDouble
from videos.tests.pipeline import fresh
from videos.tests.test_order_counts import kinds_of
from videos.tests.test_scheduler import queue_many

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def still_clock():
    """The clock stands still, so that due times do not depend on the speed of the machine."""
    with still_clocks() as clocks:
        yield clocks


class Statuses:
    """HeyGen's bulk read of statuses: records the ids, answers what the test says."""

    def __init__(self, heygen_double: HeyGenDouble) -> None:
        self.asked: list[list[str]] = []
        self.said: dict[str, RenderState] = {}
        heygen_double.get_statuses = self

    def __call__(self, ids: list[str]) -> dict[str, RenderState]:
        self.asked.append(list(ids))
        return {each: self.said.get(each, RenderState.RUNNING) for each in ids}


@pytest.fixture
def statuses(heygen_double):
    return Statuses(heygen_double)


@pytest.fixture
def renders(owner):
    """Makes renders that were ordered `ago` seconds ago and are due in `due_in` seconds."""
    avatar = make_avatar()
    set_balance(owner, 1000)

    def make(count: int, *, ago: float = 600, due_in: float = 0) -> list[Video]:
        now = timezone.now()
        facts = {"submitted_at": now - timedelta(seconds=ago), "due_at": now + timedelta(seconds=due_in)}
        return [make_video(owner, "rendering", avatar=avatar, **facts) for _ in range(count)]

    return make


def due_in(video: Video) -> int:
    return round((fresh(video).due_at - timezone.now()).total_seconds())


def complete_at_heygen(statuses: Statuses, heygen_double: HeyGenDouble, *videos: Video) -> None:
    for video in videos:
        statuses.said[video.provider_video_id] = RenderState.COMPLETED
    heygen_double.read = lambda client, video_id, **_: RemoteVideo(
        video_id, RenderState.COMPLETED, "completed", file_url="https://files.heygen.ai/x.mp4"
    )


def test_no_call_is_made_when_no_render_is_due(statuses, renders):
    renders(2, due_in=5)
    assert (polling.poll_due(), statuses.asked) == (0, [])


def test_more_renders_than_fit_a_call_take_another_call(statuses, renders, monkeypatch):
    monkeypatch.setattr(polling, "MAX_IDS_PER_CALL", 3)
    renders(7)
    assert (polling.poll_due(), sorted(len(ids) for ids in statuses.asked)) == (7, [1, 3, 3])


def test_a_poll_that_is_not_full_asks_about_the_renders_due_next(statuses, renders):
    (due,), soon = renders(1), renders(3, due_in=20)
    assert polling.poll_due() == 4
    assert [len(ids) for ids in statuses.asked] == [4]
    assert [due_in(video) for video in (due, *soon)] == [60] * 4


def test_a_render_polled_before_its_time_is_not_due_earlier(statuses, renders):
    _, (young,) = renders(1), renders(1, ago=5, due_in=50)
    polling.poll_due()
    assert due_in(young) == 50


def test_a_poll_is_not_filled_with_a_render_that_was_postponed(statuses, renders):
    (due,), (troubled,) = renders(1), renders(1)
    assert troubled.retry_later(20, "HeyGen: http_503")
    polling.poll_due()
    assert (statuses.asked, fresh(troubled).tries) == ([[due.provider_video_id]], 1)
    assert due_in(troubled) == 20


def test_only_due_renders_are_polled_while_webhooks_arrive(statuses, renders, owner):
    make_video(owner, "completed", learned_by=LearnedBy.WEBHOOK)
    renders(1), renders(3, due_in=20)
    assert (polling.poll_due(), [len(ids) for ids in statuses.asked]) == (1, [1])


def test_a_render_polled_early_that_has_ended_is_read(statuses, renders, heygen_double):
    _, (other,) = renders(1), renders(1, due_in=20)
    complete_at_heygen(statuses, heygen_double, other)
    polling.poll_due()
    assert (fresh(other).status, fresh(other).learned_by) == ("storing", LearnedBy.POLL)


def test_ended_renders_beyond_the_reads_of_a_poll_are_read_by_the_next(statuses, renders, heygen_double, monkeypatch):
    monkeypatch.setattr(polling, "MAX_READS", 2)
    videos = renders(3)
    complete_at_heygen(statuses, heygen_double, *videos)
    counts = []
    for _ in range(2):
        polling.poll_due()
        counts.append(Video.objects.filter(status=Status.STORING).count())
    assert counts == [2, 3]


def test_a_render_that_cannot_be_recorded_leaves_the_others_alone(statuses, renders, heygen_double):
    broken, *others = videos = renders(3)
    complete_at_heygen(statuses, heygen_double, *videos)
    good = heygen_double.read
    heygen_double.read = lambda client, video_id, **_: (
        None if video_id == broken.provider_video_id else good(client, video_id)
    )
    polling.poll_due()
    assert [fresh(video).status for video in (broken, *others)] == ["rendering", "storing", "storing"]
    assert due_in(broken) == polling.POLL_LEASE


@pytest.mark.parametrize("count", [1, 250])
def test_a_poll_of_short_renders_that_go_on_writes_nothing(statuses, owner, count):
    queue_many(owner, make_avatar(), count)
    now = timezone.now()
    order = {"submitted_at": now - timedelta(seconds=8), "due_at": now, "expected_render_seconds": 10}
    Video.objects.update(status=Status.RENDERING, provider_video_id=Cast("id", CharField()), **order)
    assert render_times.webhooks_arrive() is False
    assert kinds_of(polling.poll_due) == ["SELECT"] * 2
    assert sorted(len(ids) for ids in statuses.asked) == [count % 100, *[100] * (count // 100)]


def test_a_poll_that_finds_nothing_due_sends_one_statement(statuses):
    assert kinds_of(polling.poll_due) == ["SELECT"]


def test_a_failing_status_read_delays_only_the_renders_of_its_call(statuses, renders, heygen_double, monkeypatch):
    monkeypatch.setattr(polling, "MAX_IDS_PER_CALL", 2)
    videos = renders(4)
    failing = videos[0].provider_video_id

    def answer(ids: list[str]) -> dict[str, RenderState]:
        if failing in ids:
            raise Unknown("http_503")
        return statuses(ids)

    heygen_double.get_statuses = answer
    polling.poll_due()
    assert sorted(fresh(video).tries for video in videos) == [0, 0, 1, 1]


def test_a_good_answer_resets_the_tries_of_a_render(statuses, renders):
    (video,) = renders(1)
    video.retry_later(0, "HeyGen: http_503")
    polling.poll_due()
    assert (fresh(video).tries, fresh(video).waiting_reason) == (0, "")


def test_a_render_without_a_file_is_polled_at_growing_intervals(statuses, renders, heygen_double):
    (video,) = renders(1)
    statuses.said[video.provider_video_id] = RenderState.COMPLETED
    heygen_double.read = lambda client, video_id, **_: RemoteVideo(video_id, RenderState.COMPLETED, "completed")
    waits = []
    for _ in range(4):
        Video.objects.update(due_at=timezone.now())
        polling.poll_due()
        waits.append(due_in(video))
    assert waits == [5, 10, 20, 40]


def test_a_video_that_heygen_does_not_show_yet_stays_rendering(statuses, renders):
    """Counted from the acceptance of the order, however long its call took."""
    (video,) = renders(1, ago=3000)
    statuses.said[video.provider_video_id] = RenderState.NOT_FOUND
    polling.poll_due()
    assert fresh(video).status == Status.RENDERING


@pytest.mark.parametrize(("hours", "pause"), [(1, 300), (6, 1200), (12, 3600), (23, 3600)])
def test_a_long_render_is_polled_for_a_day(statuses, renders, hours, pause):
    (video,) = renders(1, ago=hours * 3600)
    polling.poll_due()
    assert due_in(video) == pause


@pytest.mark.django_db(transaction=True)
def test_of_eight_pollers_one_asks_while_the_others_return(statuses, renders, heygen_double):
    renders(12)
    returned = threading.Semaphore(0)

    def answer(ids: list[str]) -> dict[str, RenderState]:
        assert all(returned.acquire(timeout=120) for _ in range(7))
        return statuses(ids)

    def poll() -> int:
        count = polling.poll_due()
        returned.release()
        return count

    heygen_double.get_statuses = answer
    assert sorted(in_parallel([poll] * 8)) == [0] * 7 + [12]
    assert len(statuses.asked) == 1


def test_two_hundred_renders_take_few_calls_without_any_webhook(statuses, renders, still_clock):
    """Over ten minutes with a poll each second: less than one call for two finished renders."""
    videos = renders(20, ago=0)
    ticks, start = 600, timezone.now()
    for number, video in enumerate(videos):
        began = start - timedelta(seconds=number * ticks / len(videos))
        Video.objects.filter(pk=video.pk).update(submitted_at=began, due_at=began + timedelta(seconds=150))
    for second in range(0, ticks, 2):
        still_clock.move_to(start + timedelta(seconds=second))
        polling.poll_due()
    assert len(statuses.asked) < 100
