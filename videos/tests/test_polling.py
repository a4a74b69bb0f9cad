"""Polling of renders: few calls, no render read twice, none forgotten."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from genvid.heygen.heygen_types import RemoteVideo, RenderState
from genvid.tests.clocks import still_clocks
from genvid.tests.factories import make_avatar, make_caller, make_video, set_balance
from genvid.tests.parallel import in_parallel
from videos.enums import LearnedBy, Status
from videos.models import Video
from videos.pipeline import polling
from videos.tests.doubles import HeyGenDouble
from videos.tests.pipeline import fresh

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
    assert (polling.poll_due(), [len(ids) for ids in statuses.asked]) == (7, [3, 3, 1])


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


def test_ended_renders_beyond_the_first_few_are_read_by_tasks(statuses, renders, heygen_double, woken, monkeypatch):
    monkeypatch.setattr(polling, "MAX_INLINE_READS", 1)
    videos = renders(3)
    complete_at_heygen(statuses, heygen_double, *videos)
    polling.poll_due()
    assert sorted(fresh(video).status for video in videos) == ["rendering", "rendering", "storing"]
    for pk in [pk for name, *ids in woken if name == "videos.read" for pk in ids]:
        polling.read_video(pk)
    assert {fresh(video).status for video in videos} == {Status.STORING}


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
def test_each_render_is_polled_by_one_of_eight_pollers(monkeypatch):
    person, avatar = make_caller(), make_avatar()
    set_balance(person, 1000)
    now = timezone.now()
    for _ in range(12):
        make_video(person, "rendering", avatar=avatar, due_at=now, submitted_at=now)
    monkeypatch.setattr(polling, "MAX_IDS_PER_CALL", 5)
    taken = in_parallel([partial(polling._claim_due) for _ in range(8)])
    pks = [video.pk for videos in taken for video in videos]
    assert len(pks) == len(set(pks)) == Video.objects.filter(due_at__gt=now).count() <= 12


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
