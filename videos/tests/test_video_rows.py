"""Videos read as rows are shown as model instances are, in one prepared statement."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from genvid.api.pagination import Slice
from genvid.api.renderers import dump
from genvid.tests.asserts import data_of, refusal_of, statements_of
from genvid.tests.factories import make_caller, make_video, make_voice
from genvid.tests.generated_rows import analyze, copy_row, reindex
from videos import video_rows
from videos.enums import Status
from videos.models import Video
from videos.queue.waiting_reasons import WaitingState
from videos.representations import VideoOutput
from videos.tests.batches import make_batch, payload_for, videos_of

pytestmark = pytest.mark.django_db
VIDEOS = "/api/v1/videos"
STATE = WaitingState(position=3, slots=2)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


def shown(video: object) -> bytes:
    return dump(VideoOutput.of(video, STATE))


def row_of(video: Video) -> video_rows.VideoRow:
    found = video_rows.find(video.account_id, video.pk)
    assert found is not None
    return found


def shown_alike(video: Video) -> bool:
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        return shown(row_of(video)) == shown(Video.objects.get(pk=video.pk))


@pytest.mark.parametrize("status", Status)
def test_a_row_is_shown_as_its_video_in_every_status(owner, status):
    assert shown_alike(make_video(owner, status))


FIELDS = {
    "with a background": {"background": {"type": "color", "value": "#ffffff"}},
    "with metadata": {"metadata": {"order": "4711", "ü": "☃"}},
    "with its files": {"file": "a.mp4", "thumbnail": "a.jpg", "subtitles": "a.srt"},
    "with a title and a speed": {"speed": 1.25, "captions": True, "title": "Ü"},
    "of a test key": {"is_test": True},
    "that expires": {"expires_at": timezone.now()},
    "that was ordered again": {"progress_floor": 40, "eta_ceiling": 90, "promised_at": timezone.now()},
    "that is set aside": {"set_aside_at": timezone.now(), "waiting_reason": "Refused."},
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_a_row_is_shown_as_its_video(owner, fields):
    assert shown_alike(make_video(owner, **fields))


def test_a_stuck_row_is_shown_as_its_video(owner):
    assert shown_alike(make_video(owner, "rendering", stuck_at=timezone.now()))


def test_a_row_with_warnings_is_shown_as_its_video(owner):
    assert shown_alike(make_video(owner, script="مرحبا بكم في متجرنا", voice=make_voice(language="English")))


def test_a_row_of_a_retry_is_shown_as_its_video(owner):
    assert shown_alike(make_video(owner, retry_of=make_video(owner, "failed")))


def test_a_row_of_a_batch_is_shown_as_its_video(owner, avatar):
    video, *_ = videos_of(make_batch(owner, payload_for(avatar)))
    assert shown_alike(video)


def test_a_listed_row_is_shown_as_its_video(owner, one_of_each_status):
    with time_machine.travel(timezone.now(), tick=False):
        listed = data_of(owner.client.get(VIDEOS))
        assert listed == [data_of(owner.client.get(f"{VIDEOS}/{row['id']}")) for row in listed]
    assert len(listed) == len(Status)


@pytest.fixture
def one_of_each_status(owner, avatar) -> list[Video]:
    return [make_video(owner, status, avatar=avatar) for status in Status]


def test_a_deleted_video_is_not_found(owner):
    video = make_video(owner, "completed", deleted_at=timezone.now())
    assert refusal_of(owner.client.get(f"{VIDEOS}/{video.pk}")) == (404, "not_found")


def test_a_video_of_another_account_is_not_found(owner, outsider):
    video = make_video(owner)
    assert refusal_of(outsider.client.get(f"{VIDEOS}/{video.pk}")) == (404, "not_found")


# ── Statements


def statements_once_warm(person, path: str, **query: object) -> list[str]:
    data_of(person.client.get(path, query))
    return statements_of(lambda: data_of(person.client.get(path, query)))


def cursors_of(person, **query: object) -> dict[str, str]:
    return person.client.get(VIDEOS, query).json()["meta"]


def test_a_video_is_read_in_one_statement_of_one_table(owner):
    (statement,) = statements_once_warm(owner, f"{VIDEOS}/{make_video(owner, 'completed').pk}")
    assert "JOIN" not in statement
    assert statement.startswith('SELECT "videos_video"."id"')


@pytest.mark.parametrize(
    "query", [{}, {"limit": 2}, {"status": "completed"}, {"search": "spring", "limit": 1}], ids=str
)
def test_a_page_is_read_in_one_statement_of_one_table(owner, avatar, query):
    for _ in range(3):
        make_video(owner, "completed", avatar=avatar)
    (statement,) = statements_once_warm(owner, VIDEOS, **query)
    assert "JOIN" not in statement


def test_a_later_page_and_the_way_back_are_read_in_one_statement_each(owner, avatar):
    for _ in range(4):
        make_video(owner, "completed", avatar=avatar)
    forth = cursors_of(owner, limit=1)["next_cursor"]
    back = cursors_of(owner, limit=1, cursor=forth)["previous_cursor"]
    assert [len(statements_once_warm(owner, VIDEOS, limit=1, cursor=each)) for each in (forth, back)] == [1, 1]


def test_a_page_among_videos_of_one_moment_is_read_in_one_statement(owner, avatar):
    for _ in range(4):
        make_video(owner, "completed", avatar=avatar, created_at="2026-05-01T12:00:00Z")
    cursor = cursors_of(owner, limit=2)["next_cursor"]
    assert len(statements_once_warm(owner, VIDEOS, limit=2, cursor=cursor)) == 1


# ── Plans


def plan_of(statement: str, *values: str) -> str:
    """The plan for any account, which PostgreSQL keeps: every account counts as an average one there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE statement LIKE %s", [statement])
        ((name,),) = cursor.fetchall()
        cursor.execute("SET LOCAL enable_seqscan = off")
        # Kept from when the table was small.
        cursor.execute("DISCARD PLANS")
        cursor.execute(f"EXPLAIN EXECUTE {name}({', '.join(['%s'] * len(values))})", values)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize(
    ("wanted", "end"),
    [
        (Slice(None, 0, 8), "%IS NULL) ORDER BY % LIMIT 8"),
        (Slice(MAY, 0, 9), "%< ($2)) ORDER BY % LIMIT 9"),
        (Slice(MAY, 0, 10, is_reversed=True), "%> ($2)) ORDER BY % LIMIT 10"),
    ],
    ids=["first", "later", "back"],
)
def test_a_page_of_any_account_is_read_in_the_order_of_its_index(owner, avatar, wanted, end):
    for person in (owner, *(make_caller() for _ in range(4))):
        video = make_video(person, avatar=avatar)
        copy_row(video, 200, id="gen_random_uuid()", created_at="now() - n * interval '1 minute'")
    reindex(Video)
    analyze(Video)
    for _ in range(2):
        list(video_rows.of_account(owner.account.pk, wanted))
    values = [str(owner.account.pk)] + ([MAY.isoformat()] if wanted.position else [])
    plan = plan_of(end, *values)
    assert ("using video_page" in plan, "Sort" in plan) == (True, False), plan
