"""The list of videos: filters, pages, queue positions and query counts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F

from genvid.tests.asserts import data_of, queries_once_warm, wrong_fields_of
from genvid.tests.factories import make_avatar, make_video
from videos.enums import Status
from videos.models import Video
from videos.queue import queue_snapshot

pytestmark = pytest.mark.django_db
VIDEOS = "/api/v1/videos"
MAY = datetime(2026, 5, 1, tzinfo=UTC)
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def current_queue(queue_is_current: None) -> None:
    pass


def titles(person, **query) -> list[str]:
    return [row["title"] for row in data_of(person.client.get(VIDEOS, query))]


def get_page(person, **query) -> tuple[list[str], dict]:
    response = person.client.get(VIDEOS, query)
    return [row["title"] for row in data_of(response)], response.json()["meta"]


@pytest.fixture
def one_of_each(owner, avatar) -> None:
    """A video in every status, with the status as its title."""
    for status in Status:
        make_video(owner, status, avatar=avatar, title=status)


# ── What is shown


def test_a_new_account_has_no_videos(owner):
    assert titles(owner) == []


def test_a_listed_video_equals_its_detail(owner):
    video = make_video(owner)
    assert data_of(owner.client.get(VIDEOS)) == [data_of(owner.client.get(f"{VIDEOS}/{video.pk}"))]


def test_videos_come_newest_first(owner, avatar):
    for title in ("first", "second", "third"):
        make_video(owner, avatar=avatar, title=title)
    assert titles(owner) == ["third", "second", "first"]


def test_an_account_sees_its_own_videos(owner, teammate, outsider, avatar):
    make_video(owner, avatar=avatar, title="ours")
    make_video(outsider, avatar=avatar, title="theirs")
    assert (titles(owner), titles(teammate), titles(outsider)) == (["ours"], ["ours"], ["theirs"])


def test_videos_in_the_pipeline_are_listed_as_processing(owner, one_of_each):
    shown = {row["title"]: row["status"] for row in data_of(owner.client.get(VIDEOS))}
    inner = dict.fromkeys(["submitting", "rendering", "storing"], "processing")
    assert shown == {str(status): str(status) for status in Status} | inner


# ── Queue positions


def test_each_listed_video_has_its_queue_position(owner, avatar):
    for title in ("first", "second", "third"):
        make_video(owner, avatar=avatar, title=title)
    rows = data_of(owner.client.get(VIDEOS))
    assert [(row["title"], row["queue_position"]) for row in rows] == [("third", 3), ("second", 2), ("first", 1)]


def test_queue_positions_count_all_accounts(owner, outsider, avatar):
    make_video(outsider, avatar=avatar)
    make_video(owner, avatar=avatar)
    make_video(outsider, avatar=avatar)
    queue_snapshot.refresh()
    assert [row["queue_position"] for row in data_of(owner.client.get(VIDEOS))] == [2]
    assert [row["queue_position"] for row in data_of(outsider.client.get(VIDEOS))] == [3, 1]


def test_the_detail_of_a_video_has_its_queue_position(owner, avatar):
    make_video(owner, avatar=avatar)
    second = make_video(owner, avatar=avatar)
    assert data_of(owner.client.get(f"{VIDEOS}/{second.pk}"))["queue_position"] == 2


def test_queue_positions_of_a_later_page_count_the_whole_queue(owner, avatar):
    for _ in range(3):
        make_video(owner, avatar=avatar)
    assert [row["queue_position"] for row in data_of(owner.client.get(VIDEOS, {"limit": 2}))] == [3, 2]


def test_a_quote_and_the_new_video_have_equal_estimates_in_a_long_queue(owner, avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    make_video(owner, avatar=avatar)
    payload = {"script": "Hello.", "avatar_id": str(avatar.pk)}
    quoted = data_of(owner.client.post(f"{VIDEOS}/quote", payload))
    assert data_of(owner.client.post(VIDEOS, payload), 201)["eta_seconds"] == quoted["eta_seconds"]


def test_queue_positions_move_up_when_a_video_leaves_the_queue(owner, avatar):
    first, _ = make_video(owner, avatar=avatar), make_video(owner, avatar=avatar)
    owner.client.post(f"{VIDEOS}/{first.pk}/cancel")
    assert [row["queue_position"] for row in data_of(owner.client.get(VIDEOS))] == [1, None]


def test_only_a_queued_video_has_a_queue_position(owner, one_of_each):
    placed = [row["status"] for row in data_of(owner.client.get(VIDEOS)) if row["queue_position"] is not None]
    assert placed == ["queued"]


def test_a_video_behind_a_full_round_of_slots_has_a_longer_estimate(owner, avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 2
    queue_snapshot.refresh()
    for _ in range(3):
        make_video(owner, avatar=avatar)
    assert [row["eta_seconds"] for row in data_of(owner.client.get(VIDEOS))] == [288, 144, 144]


# ── Filters


@pytest.mark.parametrize(
    ("status", "found"),
    [
        *[(status, {status}) for status in ("draft", "queued", "completed", "failed", "canceled")],
        ("processing", {"submitting", "rendering", "storing"}),
        ("queued,draft", {"queued", "draft"}),
        ("processing,failed", {"submitting", "rendering", "storing", "failed"}),
        ("queued,queued", {"queued"}),
        ("", {str(status) for status in Status}),
    ],
)
def test_the_list_is_filtered_by_status(owner, one_of_each, status, found):
    assert set(titles(owner, status=status)) == found


def test_the_list_is_filtered_by_avatar(owner, avatar):
    make_video(owner, avatar=avatar, title="Grace")
    make_video(owner, avatar=make_avatar(), title="another")
    assert titles(owner, avatar_id=str(avatar.pk)) == ["Grace"]


def test_an_unknown_avatar_in_the_filter_lists_no_videos(owner):
    make_video(owner)
    assert titles(owner, avatar_id=NOBODY) == []


def test_an_unknown_batch_in_the_filter_lists_no_videos(owner):
    make_video(owner)
    assert titles(owner, batch_id=NOBODY) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"created_after": "2026-05-02T00:00:00Z"}, ["third"]),
        ({"created_before": "2026-05-02T00:00:00Z"}, ["first"]),
        ({"created_after": "2026-05-01T00:00:00Z", "created_before": "2026-05-03T00:00:00Z"}, ["second"]),
        ({"created_after": "2026-05-02T02:00:00+02:00"}, ["third"]),
        ({"created_after": "2026-05-02T00:00:00"}, ["third"]),
        ({"created_after": "2026-05-02"}, ["third"]),
        ({"created_after": "2026-05-01T23:59:59.999999Z"}, ["third", "second"]),
        ({"created_before": "2026-04-30T00:00:00Z"}, []),
    ],
    ids=str,
)
def test_the_list_is_filtered_by_time(owner, avatar, query, found):
    for days, title in enumerate(("first", "second", "third")):
        make_video(owner, avatar=avatar, title=title, created_at=MAY + timedelta(days=days))
    assert titles(owner, **query) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("spring", ["one"]),
        ("SPRING", ["one"]),
        ("two", ["two"]),
        ("autumn sale", ["two"]),
        ("sale", ["two", "one"]),
        ("100%", ["two"]),
        ("a_tumn", []),
        ("winter", []),
    ],
)
def test_the_list_is_searched_in_titles_and_scripts(owner, avatar, words, found):
    make_video(owner, avatar=avatar, title="one", script="Our spring sale.")
    make_video(owner, avatar=avatar, title="two", script="Our autumn sale: 100% off.")
    assert titles(owner, search=words) == found


def test_several_filters_are_combined(owner, avatar):
    make_video(owner, "failed", avatar=avatar, title="wanted", script="Spring.")
    make_video(owner, "failed", avatar=avatar, title="said otherwise", script="Autumn.")
    make_video(owner, "canceled", avatar=avatar, title="ended otherwise", script="Spring.")
    make_video(owner, "failed", title="filmed otherwise", script="Spring.")
    query = {"status": "failed", "avatar_id": str(avatar.pk), "search": "spring"}
    assert titles(owner, **query, created_after="2026-01-01T00:00:00Z") == ["wanted"]


def test_a_filter_finds_nothing_of_another_account(owner, outsider, avatar):
    make_video(outsider, avatar=avatar, title="theirs")
    query = {"status": "queued", "avatar_id": str(avatar.pk), "search": "theirs"}
    assert titles(owner, **query) == []


WRONG = [
    *[
        ("status", given)
        for given in ("done", "rendering", "QUEUED", "queued,", "queued;draft", " queued", "queued\x00")
    ],
    *[("avatar_id", given) for given in ("x", "7", f"{NOBODY}x")],
    *[("batch_id", given) for given in ("x", "7")],
    *[("created_after", given) for given in ("yesterday", "2026-13-01T00:00:00Z", "1e400", "2026-05-01T25:00Z")],
    *[("created_before", given) for given in ("now", "2026-02-30T00:00:00Z")],
    *[("search", given) for given in ("x" * 201, "a\x00b")],
    *[("limit", given) for given in ("0", "101", "x")],
    ("cursor", "x"),
    ("statsu", "queued"),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=ascii)
def test_an_invalid_filter_is_named(owner, name, value):
    assert wrong_fields_of(owner.client.get(VIDEOS, {name: value})) == [name]


def test_a_filter_given_twice_is_named(owner):
    assert wrong_fields_of(owner.client.get(f"{VIDEOS}?status=queued&status=draft")) == ["status"]


def test_every_invalid_filter_is_named_at_once(owner):
    query = {"status": "x", "avatar_id": "x", "created_after": "x"}
    assert wrong_fields_of(owner.client.get(VIDEOS, query)) == ["avatar_id", "created_after", "status"]


EDGES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("name", ["created_after", "created_before"])
@pytest.mark.parametrize("moment", EDGES)
def test_a_time_filter_beyond_the_calendar_in_utc_is_named(owner, name, moment):
    assert wrong_fields_of(owner.client.get(VIDEOS, {name: moment})) == [name]


# ── Pages


def test_cursors_lead_through_all_pages_and_back(owner, avatar):
    for title in "abcde":
        make_video(owner, "draft", avatar=avatar, title=title)
    first, meta = get_page(owner, limit=2)
    second, further = get_page(owner, limit=2, cursor=meta["next_cursor"])
    third, last = get_page(owner, limit=2, cursor=further["next_cursor"])
    assert (first, second, third, last["next_cursor"]) == (["e", "d"], ["c", "b"], ["a"], None)
    assert get_page(owner, limit=2, cursor=further["previous_cursor"])[0] == first


def test_a_video_made_between_two_pages_does_not_shift_the_list(owner, avatar):
    for title in "abcd":
        make_video(owner, "draft", avatar=avatar, title=title)
    _, meta = get_page(owner, limit=2)
    make_video(owner, "draft", avatar=avatar, title="new")
    assert get_page(owner, limit=2, cursor=meta["next_cursor"])[0] == ["b", "a"]


def test_videos_made_at_one_time_are_listed_once_each(owner, avatar):
    for title in "abcde":
        make_video(owner, "draft", avatar=avatar, title=title, created_at=MAY)
    found, cursor = [], {}
    while cursor != {"cursor": None}:
        rows, meta = get_page(owner, limit=2, **cursor)
        found, cursor = found + rows, {"cursor": meta["next_cursor"]}
    assert sorted(found) == ["a", "b", "c", "d", "e"]


def test_a_filter_is_kept_over_pages(owner, avatar):
    for status, title in (("draft", "a"), ("failed", "b"), ("draft", "c")):
        make_video(owner, status, avatar=avatar, title=title)
    _, meta = get_page(owner, limit=1, status="draft")
    assert get_page(owner, limit=1, status="draft", cursor=meta["next_cursor"])[0] == ["a"]


def test_a_cursor_of_another_account_shows_none_of_its_videos(owner, outsider, avatar):
    for person in (owner, owner, outsider):
        make_video(person, "draft", avatar=avatar, title=person.user.email)
    _, meta = get_page(owner, limit=1)
    assert get_page(outsider, cursor=meta["next_cursor"])[0] == []


# ── Queries


def queries_with_one_and_three_rows(person, action, **fields) -> tuple[int, int]:
    make_video(person, **fields)
    with_one = queries_once_warm(action)
    make_video(person, **fields)
    make_video(person, **fields)
    return with_one, queries_once_warm(action)


@pytest.mark.parametrize(("status", "queries"), [("queued", 2), ("failed", 1), ("draft", 1)])
def test_a_longer_list_of_videos_takes_no_more_queries(owner, avatar, status, queries):
    counted = queries_with_one_and_three_rows(
        owner, lambda: data_of(owner.client.get(VIDEOS)), status=status, avatar=avatar
    )
    assert counted == (queries, queries)


def test_a_longer_filtered_list_of_videos_takes_no_more_queries(owner, avatar):
    query = {"status": "queued", "avatar_id": str(avatar.pk), "search": "spring", "limit": 2}
    assert queries_with_one_and_three_rows(owner, lambda: titles(owner, **query), avatar=avatar) == (2, 2)


def test_a_longer_queue_takes_no_more_queries_for_a_video(owner, avatar):
    path = f"{VIDEOS}/{make_video(owner, avatar=avatar).pk}"
    assert queries_with_one_and_three_rows(owner, lambda: data_of(owner.client.get(path)), avatar=avatar) == (2, 2)


def test_a_deleted_video_is_in_no_list(owner, one_of_each):
    Video.objects.filter(status="completed").update(deleted_at=F("created_at"))
    assert titles(owner, status="completed") == []


@pytest.mark.parametrize("name", ["batch_id", "avatar_id", "created_after", "created_before", "is_test"])
def test_an_empty_filter_does_not_show_everything(owner, name):
    make_video(owner)
    assert wrong_fields_of(owner.client.get(f"/api/v1/videos?{name}=")) == [name]
