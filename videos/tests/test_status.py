"""Repeated reads of a video: ETags, lists by ids, and progress that never worsens."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from genvid.tests.asserts import data_of, queries_once_warm, refusal_of, wrong_fields_of
from genvid.tests.factories import make_video
from videos import settlement
from videos.enums import Status
from videos.lifecycle import deletion
from videos.models import Video
from videos.pipeline import scheduler
from videos.queue import queue_snapshot
from videos.tests.pipeline import describe, fresh, positions_now, wait_until

pytestmark = pytest.mark.django_db
VIDEOS = "/api/v1/videos"


def show(person, video, **headers):
    return person.client.get(f"{VIDEOS}/{video.pk}", **headers)


# ── ETags


@pytest.fixture(params=["one", "list"])
def ask(request, owner):
    """Gets a completed video by itself, and as a list."""
    video = make_video(owner, "completed")
    path = f"{VIDEOS}/{video.pk}" if request.param == "one" else VIDEOS
    return lambda person=owner, **headers: person.client.get(path, **headers)


def test_an_unchanged_video_is_answered_with_304(ask):
    etag = ask()["ETag"]
    answer = ask(HTTP_IF_NONE_MATCH=etag)
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)


def test_a_weak_etag_or_one_of_several_gets_a_304(ask):
    etag = ask()["ETag"]
    statuses = [ask(HTTP_IF_NONE_MATCH=given).status_code for given in (f"W/{etag}", f'"other", {etag}', "*")]
    assert statuses == [304, 304, 304]


@pytest.mark.parametrize("given", ['"other"', "garbage", ""])
def test_another_etag_gets_the_whole_answer(ask, given):
    assert ask(HTTP_IF_NONE_MATCH=given).status_code == 200


def test_a_video_is_cached_privately_and_revalidated(ask):
    answers = [ask(), ask(HTTP_IF_NONE_MATCH="*")]
    assert [set(answer["Cache-Control"].split(", ")) for answer in answers] == [{"private", "no-cache"}] * 2


def test_an_etag_does_not_depend_on_the_request(ask):
    answers = [ask(HTTP_X_REQUEST_ID=name) for name in ("first", "second")]
    assert answers[0]["ETag"] == answers[1]["ETag"]


def test_a_changed_video_has_another_etag(owner, ask):
    before = ask()["ETag"]
    Video.objects.update(title="Renamed")
    answer = ask(HTTP_IF_NONE_MATCH=before)
    assert (answer.status_code, answer["ETag"] == before) == (200, False)


def test_an_etag_gives_an_outsider_no_access(owner, outsider):
    video = make_video(owner, "completed")
    etag = show(owner, video)["ETag"]
    assert refusal_of(show(outsider, video, HTTP_IF_NONE_MATCH=etag)) == (404, "not_found")


# ── Many at once


def list_by_ids(person, *ids: object, **query):
    return person.client.get(VIDEOS, {"ids": ",".join(map(str, ids)), **query})


def found(answer) -> list[str]:
    return [row["id"] for row in data_of(answer)]


def test_videos_are_found_by_their_ids(owner, avatar):
    first, _, third = (make_video(owner, avatar=avatar) for _ in range(3))
    answer = list_by_ids(owner, third.pk, str(first.pk).upper(), third.pk)
    assert found(answer) == [str(third.pk), str(first.pk)]
    assert data_of(answer)[0] == data_of(show(owner, third))


def test_unknown_foreign_and_deleted_ids_are_left_out_of_the_list(owner, outsider, avatar):
    gone, foreign = make_video(owner, "draft", avatar=avatar), make_video(outsider, avatar=avatar)
    video = make_video(owner, avatar=avatar)
    deletion.delete_video(gone)
    assert found(list_by_ids(owner, gone.pk, foreign.pk, uuid.uuid4(), video.pk)) == [str(video.pk)]


def test_a_hundred_videos_by_id_come_on_one_page(owner, avatar):
    script = make_video(owner, "draft", avatar=avatar)
    many = [Video(**copied(script)) for _ in range(99)]
    Video.objects.bulk_create(many)
    answer = list_by_ids(owner, script.pk, *(video.pk for video in many))
    assert len(found(answer)) == 100
    meta = answer.json()["meta"]
    assert (meta["limit"], meta["next_cursor"], meta["previous_cursor"]) == (100, None, None)


def copied(video: Video) -> dict:
    names = ("account_id", "avatar_id", "voice_id", "script", "engine")
    return {name: getattr(video, name) for name in names} | {"status": Status.DRAFT}


def test_a_limit_applies_to_a_list_by_ids(owner, avatar):
    ids = [make_video(owner, avatar=avatar).pk for _ in range(3)]
    answer = list_by_ids(owner, *ids, limit=2)
    assert found(answer) == [str(ids[2]), str(ids[1])]
    rest = list_by_ids(owner, *ids, limit=2, cursor=answer.json()["meta"]["next_cursor"])
    assert found(rest) == [str(ids[0])]


def test_a_filter_by_ids_is_combined_with_other_filters(owner, avatar):
    waiting, failed = make_video(owner, avatar=avatar), make_video(owner, "failed", avatar=avatar)
    assert found(list_by_ids(owner, waiting.pk, failed.pk, status="failed")) == [str(failed.pk)]


ID = uuid.UUID(int=1)


@pytest.mark.parametrize("ids", ["", ",", "x", "1,2", f"{ID},", f"{ID} {ID}", "\x00"])
def test_a_malformed_list_of_ids_is_refused(owner, ids):
    assert wrong_fields_of(owner.client.get(VIDEOS, {"ids": ids})) == ["ids"]


def test_more_than_a_hundred_ids_are_refused(owner):
    assert found(list_by_ids(owner, *(uuid.uuid4() for _ in range(100)))) == []
    assert wrong_fields_of(list_by_ids(owner, *(uuid.uuid4() for _ in range(101)))) == ["ids"]


def test_a_longer_list_of_ids_takes_no_more_queries(owner, avatar):
    ids = [make_video(owner, avatar=avatar).pk for _ in range(3)]
    one, three = (queries_once_warm(lambda some=some: list_by_ids(owner, *some)) for some in (ids[:1], ids))
    assert one == three


def test_a_list_by_ids_has_an_etag(owner, avatar):
    video = make_video(owner, "completed", avatar=avatar)
    etag = list_by_ids(owner, video.pk)["ETag"]
    headers = {"HTTP_IF_NONE_MATCH": etag}
    assert owner.client.get(VIDEOS, {"ids": str(video.pk)}, **headers).status_code == 304


# ── Progress and estimates


class WatchedVideo:
    """Reads a video again and again, and keeps what was shown."""

    def __init__(self, person, video) -> None:
        self.person, self.video = person, video
        self.rows: list[dict] = []

    def look(self) -> dict:
        queue_snapshot.refresh()
        self.rows.append(data_of(show(self.person, self.video)))
        return self.rows[-1]

    def column(self, name: str) -> list:
        return [row[name] for row in self.rows]

    def never_worsened(self) -> None:
        progress = self.column("progress_percent")
        assert progress == sorted(progress)
        assert {row["status"] for row in self.rows if row["progress_percent"] == 100} <= {"completed"}
        etas = [eta for eta in self.column("eta_seconds") if eta is not None]
        assert etas == sorted(etas, reverse=True)
        assert {row["status"] for row in self.rows if row["queue_position"] is not None} <= {"queued"}
        assert None not in [row["queue_position"] for row in self.rows if row["status"] == "queued"]


@pytest.fixture
def watched(pipeline, owner) -> WatchedVideo:
    return WatchedVideo(owner, pipeline.order(owner))


@pytest.mark.slow
def test_progress_and_estimates_never_worsen_from_queue_to_file(pipeline, watched):
    def step() -> bool:
        watched.look()
        pipeline.tick()
        return watched.look()["status"] == "completed"

    wait_until(step, why=lambda: describe(watched.video))
    watched.never_worsened()
    assert watched.rows[0]["queue_position"] == 1
    assert (watched.rows[-1]["progress_percent"], watched.rows[-1]["eta_seconds"]) == (100, None)


@pytest.mark.slow
def test_progress_and_estimates_do_not_worsen_when_an_order_is_placed_anew(pipeline, watched):
    watched.look()
    pipeline.submit(watched.video)
    for seconds in (1, 30, 100):
        pipeline.backdate_order(watched.video, seconds)
        watched.look()
    half_way = watched.rows[-1]
    assert settlement.requeue_video(fresh(watched.video), reason="provider_closed", why="insufficient_credit")
    assert watched.look()["status"] == "queued"
    pipeline.submit(watched.video)
    for seconds in (0, 20, 60, 200):
        pipeline.backdate_order(watched.video, seconds)
        watched.look()
    pipeline.run(watched.video)
    watched.look()
    watched.never_worsened()
    assert half_way["progress_percent"] > 30
    assert watched.rows[-1]["progress_percent"] == 100


def test_the_expected_time_of_a_queued_video_is_not_moved_back_when_others_overtake(owner, outsider, avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    watched = WatchedVideo(owner, make_video(owner, avatar=avatar))
    make_video(owner, avatar=avatar)
    watched.look()
    last = WatchedVideo(owner, make_video(owner, avatar=avatar))
    last.look()
    for _ in range(4):
        make_video(outsider, avatar=avatar)
        watched.look()
        last.look()
    watched.never_worsened()
    last.never_worsened()
    assert last.column("queue_position")[-1] > last.column("queue_position")[0]


def test_a_shown_queue_position_is_the_order_of_the_scheduler(owner, outsider, avatar, settings):
    settings.HEYGEN_API_KEY = "key"
    videos = [make_video(person, avatar=avatar) for person in (owner, owner, outsider)]
    found = {str(video.pk): positions_now([video])[video.pk] for video in videos}
    order: list[str] = []
    for settings.HEYGEN_MAX_CONCURRENT in (1, 2, 3):
        assert scheduler.hand_out_slots() == 1
        going = Video.objects.filter(status=Status.SUBMITTING).values_list("pk", flat=True)
        order += {str(pk) for pk in going} - set(order)
    assert order == sorted(found, key=found.__getitem__)


def test_progress_is_computed_at_the_time_of_the_answer(owner):
    video = make_video(owner, "rendering", expected_render_seconds=100)
    before = data_of(show(owner, video))["progress_percent"]
    Video.objects.update(submitted_at=timezone.now() - timedelta(seconds=50))
    assert data_of(show(owner, video))["progress_percent"] > before
