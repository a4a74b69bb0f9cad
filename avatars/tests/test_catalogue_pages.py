"""Pages of the catalogue that a process keeps: shared rows only, and an account's own rows for that account alone."""

import uuid

import pytest
from django.db.models import QuerySet

from avatars import releases
from avatars.models import Avatar, Voice
from genvid.tests.asserts import data_of, queries_of, redis_trips_of, wrong_fields_of
from genvid.tests.factories import make_avatar, make_voice

pytestmark = pytest.mark.django_db
AVATARS, VOICES, VIDEOS = "/api/v1/avatars", "/api/v1/voices", "/api/v1/videos"


def names(person, path: str = AVATARS) -> list[str]:
    return sorted(row["name"] for row in data_of(person.client.get(path)))


def change_in_another_process(model, **changes) -> None:
    """This process is not told."""
    assert QuerySet.update(model.objects.all(), **changes) > 0


@pytest.mark.usefixtures("still_caches")
@pytest.mark.parametrize("path", [AVATARS, VOICES])
def test_a_warm_page_takes_no_statement_and_one_trip_to_redis(owner, avatar, path, settings):
    settings.RATE_LIMITS = True
    names(owner, path), names(owner, path)
    assert queries_of(lambda: names(owner, path)) == 0
    assert redis_trips_of(lambda: names(owner, path)) == 1


@pytest.mark.usefixtures("still_caches")
def test_two_accounts_share_a_page(owner, outsider, avatar):
    assert queries_of(lambda: names(owner)) == 3  # the role of the session, too
    assert queries_of(lambda: names(outsider)) == 1
    assert names(owner) == names(outsider) == [avatar.name]


@pytest.mark.parametrize(("path", "make"), [(AVATARS, make_avatar), (VOICES, make_voice)])
@pytest.mark.parametrize("is_first", [True, False])
def test_no_page_holds_a_row_of_another_account(owner, outsider, path, make, is_first):
    make(name="Shared")
    make(name="Own", account=owner.account, is_private=True)
    people = [owner, outsider] if is_first else [outsider, owner]
    found = {person is owner: names(person, path) for person in people}
    assert ("Own" in found[True], "Own" in found[False]) == (True, False)


@pytest.mark.parametrize(("path", "make", "model"), [(AVATARS, make_avatar, Avatar), (VOICES, make_voice, Voice)])
def test_a_release_that_a_process_has_not_heard_of_is_on_no_shared_page(owner, outsider, path, make, model):
    make(name="Row", is_released=False, is_private=True)
    assert names(owner, "/api/v1/avatars?gender=nobody") == []
    change_in_another_process(model, account=owner.account, is_released=True)
    assert "Row" not in names(owner, path) + names(outsider, path)


def test_the_default_voice_of_a_shared_page_is_one_that_all_may_use(owner, outsider):
    voice = make_voice(account=owner.account, is_private=True)
    make_avatar(name="Shared", default_voice=voice)
    assert [row["default_voice_id"] for row in data_of(owner.client.get(AVATARS))] == [str(voice.pk)]
    assert [row["default_voice_id"] for row in data_of(outsider.client.get(AVATARS))] == [None]


def test_a_release_and_its_withdrawal_show_at_once(owner, outsider, staff_id):
    avatar = make_avatar(name="Row", is_released=False, is_private=True)
    seen = [names(owner) + names(outsider)]
    releases.release(avatar, account=owner.account, staff_id=staff_id)
    seen.append(names(owner) + names(outsider))
    releases.withdraw_release(avatar, staff_id=staff_id)
    seen.append(names(owner) + names(outsider))
    assert seen == [[], ["Row"], []]


@pytest.fixture
def staff_id(outsider) -> uuid.UUID:
    return outsider.user.pk


def test_what_a_kept_page_still_shows_is_refused_at_once_when_a_video_is_created(owner, avatar):
    assert names(owner) == [avatar.name]
    change_in_another_process(Avatar, is_hidden=True)
    assert names(owner) == [avatar.name]
    answer = owner.client.post(VIDEOS, {"script": "Hello.", "avatar_id": str(avatar.pk)})
    assert wrong_fields_of(answer) == ["avatar_id"]


def test_each_query_has_a_page_of_its_own(owner):
    for name in ("Ada", "Grace", "Mary"):
        make_avatar(name=name)
    first = owner.client.get(f"{AVATARS}?limit=2").json()
    second = owner.client.get(f"{AVATARS}?limit=2&cursor={first['meta']['next_cursor']}").json()
    assert sorted(row["name"] for page in (first, second) for row in page["data"]) == ["Ada", "Grace", "Mary"]
    assert names(owner, f"{AVATARS}?search=grace") == ["Grace"]


def test_a_kept_page_has_the_request_id_of_each_request(owner, avatar):
    ids = [owner.client.get(AVATARS, HTTP_X_REQUEST_ID=each).json()["meta"]["request_id"] for each in ("one", "two")]
    assert ids == ["one", "two"]


def test_a_kept_page_answers_304_to_whoever_has_it(owner, avatar):
    etag = owner.client.get(AVATARS)["ETag"]
    assert owner.client.get(AVATARS, HTTP_IF_NONE_MATCH=etag).status_code == 304
    make_avatar()
    assert owner.client.get(AVATARS, HTTP_IF_NONE_MATCH=etag).status_code == 200
