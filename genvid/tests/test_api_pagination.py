"""Keyset pages, tested with the list of voices."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from avatars.models import Voice
from genvid.tests.asserts import data_of, wrong_fields_of
from genvid.tests.factories import make_voice

pytestmark = pytest.mark.django_db
VOICES = "/api/v1/voices"
MOMENT = datetime(2026, 5, 1, tzinfo=UTC)


def make_voices(count: int, **fields) -> list[str]:
    names = [f"Voice {number}" for number in range(count)]
    for name in names:
        make_voice(name=name, **fields)
    return names[::-1]


def page(client, **query):
    """Names and meta of one page."""
    response = client.get(VOICES, query)
    return [row["name"] for row in data_of(response)], response.json()["meta"]


def walk(client, limit: int, start: str | None = None, step: str = "next_cursor") -> list[list[str]]:
    """The pages from `start` on, to the last one."""
    pages, cursor = [], start
    while len(pages) < 50:
        names, meta = page(client, limit=limit, **{"cursor": cursor} if cursor else {})
        pages.append(names)
        cursor = meta[step]
        if cursor is None:
            return pages
    raise AssertionError("the list does not come to an end")


def forged(query: str) -> str:
    return b64encode(query.encode()).decode()


def test_an_empty_list_has_no_further_pages(owner):
    names, meta = page(owner.client)
    assert names == []
    assert (meta["limit"], meta["next_cursor"], meta["previous_cursor"]) == (20, None, None)


def test_meta_of_a_page_has_limit_and_cursors_and_no_total(owner):
    _, meta = page(owner.client)
    assert set(meta) == {"request_id", "limit", "next_cursor", "previous_cursor"}


def test_a_page_has_twenty_rows_when_nobody_says_otherwise(owner):
    names = make_voices(21)
    assert page(owner.client)[0] == names[:20]


def test_rows_come_newest_first(owner):
    names = make_voices(3)
    assert page(owner.client)[0] == names


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_limit_says_how_many_rows_a_page_has(owner, limit):
    names = make_voices(4)
    found, meta = page(owner.client, limit=limit)
    assert (found, meta["limit"]) == (names[:limit], limit)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "+5", "1.5", "abc", "", " 5", "٣", "1e1", "9" * 400])
def test_a_limit_outside_1_to_100_is_refused(owner, limit):
    assert wrong_fields_of(owner.client.get(VOICES, {"limit": limit})) == ["limit"]


def test_a_limit_given_twice_is_refused(owner):
    assert wrong_fields_of(owner.client.get(f"{VOICES}?limit=1&limit=2")) == ["limit"]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_walking_forward_shows_every_row_once(owner, limit):
    names = make_voices(5)
    pages = walk(owner.client, limit)
    assert [name for names_of_page in pages for name in names_of_page] == names


def test_walking_back_shows_the_same_pages_in_the_same_order(owner):
    make_voices(6)
    forward = walk(owner.client, 2)
    last = page(owner.client, limit=2, cursor=page(owner.client, limit=2)[1]["next_cursor"])[1]["next_cursor"]
    backward = walk(owner.client, 2, start=last, step="previous_cursor")
    assert backward == forward[::-1]


def test_the_last_page_has_no_next_and_the_first_no_previous(owner):
    make_voices(2)
    _, first = page(owner.client, limit=1)
    _, last = page(owner.client, limit=1, cursor=first["next_cursor"])
    assert (first["previous_cursor"], last["next_cursor"]) == (None, None)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_rows_of_the_same_moment_are_shown_once_each(owner, limit):
    names = make_voices(7, created_at=MOMENT)
    pages = walk(owner.client, limit)
    assert sorted(name for names_of_page in pages for name in names_of_page) == sorted(names)


def test_a_row_that_arrives_between_two_pages_moves_nothing(owner):
    names = make_voices(4)
    cursor = page(owner.client, limit=2)[1]["next_cursor"]
    make_voice(name="Newcomer")
    assert page(owner.client, limit=2, cursor=cursor)[0] == names[2:]


def test_a_row_that_leaves_between_two_pages_hides_no_other(owner):
    names = make_voices(4)
    cursor = page(owner.client, limit=2)[1]["next_cursor"]
    Voice.objects.filter(name=names[0]).delete()
    assert page(owner.client, limit=2, cursor=cursor)[0] == names[2:]


def test_the_row_behind_a_cursor_may_leave(owner):
    names = make_voices(4)
    cursor = page(owner.client, limit=2)[1]["next_cursor"]
    Voice.objects.filter(name=names[1]).delete()
    assert page(owner.client, limit=2, cursor=cursor)[0] == names[2:]


def test_a_filter_goes_on_over_pages(owner):
    make_voice(name="A", language="German")
    make_voice(name="B", language="English")
    make_voice(name="C", language="German")
    _, meta = page(owner.client, limit=1, language="German")
    assert page(owner.client, limit=1, language="German", cursor=meta["next_cursor"])[0] == ["A"]


FORGED = {
    "not base64": "§§§",
    "a position that is no time": forged("p=yesterday"),
    "a position that is an id": forged("p=7"),
    "a negative offset": forged("o=-1"),
    "an offset that is no number": forged("o=x"),
    "a position before the calendar": forged("p=0000-01-01"),
    "a position with a NUL": forged("p=2026-01-01\x00"),
}


@pytest.mark.parametrize("cursor", FORGED.values(), ids=FORGED.keys())
def test_a_cursor_that_no_list_gave_out_is_refused(owner, cursor):
    assert wrong_fields_of(owner.client.get(VOICES, {"cursor": cursor})) == ["cursor"]


EMPTY = {"nothing": "", "nonsense": forged("\x01\x02"), "other words": forged("a=b"), "far too long": "A" * 5_000}


@pytest.mark.parametrize("cursor", EMPTY.values(), ids=EMPTY.keys())
def test_a_cursor_without_a_position_is_refused(owner, cursor):
    assert wrong_fields_of(owner.client.get(VOICES, {"cursor": cursor})) == ["cursor"]


@pytest.mark.parametrize("position", ["2026-01-01T00:00:00", "2026-01-01"])
def test_a_cursor_whose_time_has_no_zone_is_refused(owner, position):
    assert wrong_fields_of(owner.client.get(VOICES, {"cursor": forged(f"p={position}")})) == ["cursor"]


EXTREME = {
    "the first day, east": forged("p=0001-01-01T00:00:00%2B14:00"),
    "the last day, west": forged("p=9999-12-31T23:59:59-14:00"),
    "reversed": forged("r=1&p=2026-01-01T00:00:00%2B00:00"),
    "a huge offset": forged("o=99999999&p=2026-01-01T00:00:00%2B00:00"),
}


@pytest.mark.parametrize("cursor", EXTREME.values(), ids=EXTREME.keys())
def test_an_odd_cursor_is_a_page_or_a_400_and_never_a_500(owner, cursor):
    make_voices(2)
    assert owner.client.get(VOICES, {"cursor": cursor}).status_code in (200, 400)


@pytest.mark.parametrize("path", ["avatars", "voices", "videos", "billing/ledger"])
def test_every_list_is_paged(owner, path):
    response = owner.client.get(f"/api/v1/{path}", {"limit": 7})
    assert response.json()["meta"]["limit"] == 7


def test_a_cursor_is_the_position_of_a_row_in_base64(owner):
    make_voice(created_at=MOMENT)
    make_voice(name="Newest")
    _, meta = page(owner.client, limit=1)
    newest = str(Voice.objects.get(name="Newest").created_at)
    assert parse_qs(b64decode(meta["next_cursor"]).decode()) == {"p": [newest]}
    _, meta = page(owner.client, limit=1, cursor=meta["next_cursor"])
    assert meta["previous_cursor"] == forged("r=1&p=2026-05-01+00%3A00%3A00%2B00%3A00")


def test_a_cursor_among_rows_of_the_same_moment_is_an_offset(owner):
    make_voices(3, created_at=MOMENT)
    assert page(owner.client, limit=2)[1]["next_cursor"] == forged("o=2")
    assert page(owner.client, limit=2, cursor=forged("o=2"))[1]["previous_cursor"] == forged("o=2&r=1")
