"""Moves of a video's status: the permitted ones, their events, concurrency, and leases."""

from functools import partial
from itertools import product

import pytest
from django.db import transaction

from genvid.tests.asserts import nothing_changes
from genvid.tests.factories import make_avatar, make_caller, make_video
from genvid.tests.parallel import in_parallel
from videos.enums import IN_FLIGHT, PROCESSING, TERMINAL, WAITING, PublicStatus, Status, public_status, stored_statuses
from videos.models import Video, VideoEvent, seconds_from_now
from videos.tests.pipeline import fresh

pytestmark = pytest.mark.django_db
PERMITTED = {
    ("draft", "queued"),
    ("queued", "submitting"),
    ("queued", "canceled"),
    ("queued", "failed"),
    ("submitting", "canceled"),
    ("rendering", "canceled"),
    ("storing", "canceled"),
    ("submitting", "queued"),
    ("submitting", "rendering"),
    ("submitting", "failed"),
    ("rendering", "queued"),
    ("rendering", "storing"),
    ("rendering", "failed"),
    ("storing", "completed"),
    ("storing", "failed"),
}
PAIRS = sorted(product(map(str, Status), repeat=2))
FORBIDDEN = [pair for pair in PAIRS if pair not in PERMITTED]


@pytest.fixture
def video(owner, avatar):
    return make_video(owner, avatar=avatar)


def set_status(video: Video, status: str) -> Video:
    """Sets `status` without a history."""
    submitted_at = seconds_from_now(-5) if status in PROCESSING else None
    Video.objects.filter(pk=video.pk).update(
        status=status, submitted_at=submitted_at, due_at=seconds_from_now(5), deadline_at=seconds_from_now(5), tries=3
    )
    VideoEvent.objects.all().delete()
    return fresh(video)


def events() -> list[tuple[str, str, str, str]]:
    return list(VideoEvent.objects.values_list("from_status", "to_status", "reason", "detail"))


# ── Permitted moves


@pytest.mark.parametrize(("source", "target"), sorted(PERMITTED))
def test_a_permitted_move_writes_one_event(video, source, target):
    video = set_status(video, source)
    assert video.move(Status(target), reason="why", detail="words") is True
    assert (video.status, fresh(video).status) == (target, target)
    assert events() == [(source, target, "why", "words")]


@pytest.mark.parametrize(("source", "target"), FORBIDDEN)
def test_a_move_that_is_not_permitted_changes_nothing(video, source, target):
    video = set_status(video, source)
    with nothing_changes():
        assert video.move(Status(target), reason="why", title="New") is False
    assert video.status == source


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_no_move_leaves_a_terminal_status(status):
    assert [pair for pair in PERMITTED if pair[0] == status] == []


def test_a_move_clears_the_due_times_of_the_previous_status(video):
    video = set_status(video, "rendering")
    video.move(Status.STORING, reason="why")
    assert (video.due_at, video.deadline_at, video.tries, video.waiting_reason) == (None, None, 0, "")


def test_a_move_sets_further_fields(video):
    due = seconds_from_now(60)
    video.move(Status.SUBMITTING, reason="why", due_at=due, attempt=1)
    assert (fresh(video).due_at, fresh(video).attempt) == (due, 1)


def test_a_move_leaves_other_videos_alone(video, owner):
    other = make_video(owner, avatar=video.avatar)
    video.move(Status.SUBMITTING, reason="why")
    assert fresh(other) == other
    assert fresh(other).status == "queued"


# ── Concurrent and stale moves


def test_a_move_from_a_stale_status_changes_nothing(video):
    late = fresh(video)
    video.move(Status.SUBMITTING, reason="first")
    with nothing_changes():
        assert late.move(Status.CANCELED, reason="second") is False


def test_a_move_from_a_status_that_has_come_back_since_changes_nothing(video):
    late = fresh(video)
    video.move(Status.SUBMITTING, reason="first", attempt=1)
    video.move(Status.QUEUED, reason="back")
    with nothing_changes():
        assert late.move(Status.CANCELED, reason="second") is False


def test_a_move_that_is_rolled_back_leaves_no_event_and_no_log(video, caplog):
    before = fresh(video).updated_at
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        video.move(Status.SUBMITTING, reason="why")
        raise ZeroDivisionError
    assert (fresh(video).status, fresh(video).updated_at) == ("queued", before)
    assert [event[1] for event in events()] == ["queued", "draft"]
    assert "video_moved" not in caplog.text


def test_a_move_is_logged_once_it_is_committed(video, caplog, django_capture_on_commit_callbacks):
    caplog.set_level("INFO")
    with django_capture_on_commit_callbacks(execute=True):
        video.move(Status.SUBMITTING, reason="why")
    (line,) = [record.msg for record in caplog.records if record.msg["event"] == "video_moved"]
    assert (line["video_id"], line["from"], line["to"]) == (str(video.pk), "queued", "submitting")


@pytest.mark.django_db(transaction=True)
def test_one_of_eight_concurrent_moves_wins():
    video = make_video(make_caller())
    moves = [partial(fresh(video).move, Status.SUBMITTING, reason=str(number)) for number in range(8)]
    won = in_parallel(moves)
    assert sorted(won) == [False] * 7 + [True]
    assert list(VideoEvent.objects.filter(to_status="submitting").values_list("reason", flat=True)) == [
        str(won.index(True))
    ]


@pytest.mark.django_db(transaction=True)
def test_one_of_many_different_concurrent_moves_wins():
    video = make_video(make_caller())
    targets = [Status.SUBMITTING, Status.CANCELED, Status.FAILED] * 3
    won = in_parallel([partial(fresh(video).move, target, reason="race") for target in targets])
    assert sum(won) == 1
    assert (fresh(video).status, VideoEvent.objects.count()) == (targets[won.index(True)], 3)


@pytest.mark.django_db(transaction=True)
def test_one_of_eight_concurrent_workers_takes_the_lease():
    video = make_video(make_caller(), "rendering", avatar=make_avatar())
    Video.objects.update(due_at=seconds_from_now(-1))
    assert sorted(in_parallel([partial(fresh(video).claim, 30) for _ in range(8)])) == [False] * 7 + [True]


# ── Leases


def test_a_video_that_is_not_due_is_not_leased(video):
    video = set_status(video, "rendering")
    Video.objects.update(due_at=seconds_from_now(3600))
    with nothing_changes():
        assert fresh(video).claim(30) is False


def test_a_video_that_has_moved_on_is_not_leased(video):
    late = set_status(video, "rendering")
    Video.objects.update(due_at=seconds_from_now(-1))
    fresh(video).move(Status.STORING, reason="why", due_at=seconds_from_now(-1))
    with nothing_changes():
        assert late.claim(30) is False


def test_a_postponed_video_keeps_its_reason_and_counts_its_tries(video):
    video = set_status(video, "rendering")
    assert video.retry_later(60, "w" * 400) is True
    assert (fresh(video).tries, fresh(video).waiting_reason) == (4, "w" * 300)


# ── Statuses


def test_three_statuses_are_shown_to_clients_as_processing():
    assert {str(status): public_status(status) for status in Status} == {
        "draft": "draft",
        "queued": "queued",
        "submitting": "processing",
        "rendering": "processing",
        "storing": "processing",
        "completed": "completed",
        "failed": "failed",
        "canceled": "canceled",
    }


@pytest.mark.parametrize("status", PublicStatus)
def test_a_public_status_in_a_filter_stands_for_its_internal_statuses(status):
    assert stored_statuses({str(status)}) == {str(inner) for inner in Status if public_status(inner) == status}


def test_every_status_is_draft_waiting_or_terminal():
    assert {Status.DRAFT} | WAITING | TERMINAL == set(Status)
    assert (WAITING & TERMINAL, IN_FLIGHT < PROCESSING < WAITING) == (frozenset(), True)
