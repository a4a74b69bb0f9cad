import uuid

import pytest

from avatars.models import Avatar, Voice
from genvid.tests.asserts import data_of, nothing_changes, queries_of, refusal_of, wrong_fields_of
from genvid.tests.factories import make_avatar, make_voice

pytestmark = pytest.mark.django_db
OF_ALL = {"owner": "shared", "status": "ready", "is_test": False, "error": None, "consent": None, "credits": None}
AVATARS, VOICES = "/api/v1/avatars", "/api/v1/voices"


def names(client, path: str, **query) -> list[str]:
    """What a list shows, in alphabetical order."""
    return sorted(row["name"] for row in data_of(client.get(path, query)))


def test_an_avatar_has_exactly_the_documented_fields(owner):
    voice = make_voice()
    avatar = make_avatar(
        name="Grace",
        gender="female",
        kind="digital_twin",
        is_premium=True,
        tags=["NEW"],
        default_voice=voice,
        preview_image_url="https://files.heygen.ai/a.webp",
        preview_video_url="https://files.heygen.ai/a.mp4",
        engines=["avatar_iv"],
        orientation="portrait",
    )
    expected = {
        "id": str(avatar.pk),
        "name": "Grace",
        "gender": "female",
        "kind": "digital_twin",
        "is_premium": True,
        "tags": ["NEW"],
        "default_voice_id": str(voice.pk),
        "preview_image_url": "https://files.heygen.ai/a.webp",
        "preview_video_url": "https://files.heygen.ai/a.mp4",
        "engines": ["avatar_iv"],
        "orientation": "portrait",
        "is_available": True,
        **OF_ALL,
    }
    assert data_of(owner.client.get(f"{AVATARS}/{avatar.pk}")) == expected
    assert data_of(owner.client.get(AVATARS)) == [expected]


def test_a_voice_has_exactly_the_documented_fields(owner):
    audio = "https://files.heygen.ai/a.wav"
    voice = make_voice(name="Ada", language="German", locale="de-DE", preview_audio_url=audio, supports_pause=True)
    expected = {
        "id": str(voice.pk),
        "name": "Ada",
        "language": "German",
        "locale": "de-DE",
        "gender": "female",
        "preview_audio_url": audio,
        "supports_pause": True,
        "is_available": True,
        **OF_ALL,
    }
    assert data_of(owner.client.get(f"{VOICES}/{voice.pk}")) == expected
    assert data_of(owner.client.get(VOICES)) == [expected]


def test_a_voice_without_a_locale_says_null(owner, voice):
    assert data_of(owner.client.get(f"{VOICES}/{voice.pk}"))["locale"] is None


def test_an_avatar_without_a_voice_says_null(owner):
    avatar = make_avatar(default_voice=None)
    assert data_of(owner.client.get(f"{AVATARS}/{avatar.pk}"))["default_voice_id"] is None


@pytest.fixture
def gallery(db):
    make_avatar(name="Ann", gender="female", kind="studio_avatar", tags=["NEW", "Business"])
    make_avatar(name="Bob", gender="male", kind="photo_avatar", is_premium=True, tags=["news"])
    make_avatar(name="Cleo 100%", gender="female", kind="digital_twin", tags=[])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Ann", "Bob", "Cleo 100%"]),
        ({"gender": "female"}, ["Ann", "Cleo 100%"]),
        ({"gender": "FEMALE"}, ["Ann", "Cleo 100%"]),
        ({"gender": "other"}, []),
        ({"kind": "photo_avatar"}, ["Bob"]),
        ({"premium": "true"}, ["Bob"]),
        ({"premium": "false"}, ["Ann", "Cleo 100%"]),
        ({"tag": "NEW"}, ["Ann"]),
        ({"tag": "new"}, []),
        ({"tag": "Bus"}, []),
        ({"search": "o"}, ["Bob", "Cleo 100%"]),
        ({"search": "ANN"}, ["Ann"]),
        ({"search": "%"}, ["Cleo 100%"]),
        ({"search": "_"}, []),
        ({"gender": "female", "search": "cleo"}, ["Cleo 100%"]),
        ({"gender": "male", "premium": "false"}, []),
    ],
)
def test_filters_find_the_right_avatars(owner, gallery, query, found):
    assert names(owner.client, AVATARS, **query) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"language": "german"}, ["Dora"]),
        ({"language": "Ger"}, []),
        ({"gender": "male"}, ["Emil"]),
        ({"search": "dor"}, ["Dora"]),
        ({"language": "English", "gender": "female"}, []),
    ],
)
def test_filters_find_the_right_voices(owner, query, found):
    make_voice(name="Dora", language="German", gender="female")
    make_voice(name="Emil", language="English", gender="male")
    assert names(owner.client, VOICES, **query) == found


@pytest.mark.parametrize("query", [{"kind": "robot"}, {"premium": "1"}, {"search": "x" * 201}, {"colour": "red"}])
def test_a_filter_that_makes_no_sense_is_refused(owner, query):
    assert wrong_fields_of(owner.client.get(AVATARS, query)) == [*query]


@pytest.mark.parametrize("path", [AVATARS, VOICES])
def test_hidden_rows_are_neither_listed_nor_shown(owner, avatar, path):
    Avatar.objects.update(is_hidden=True)
    Voice.objects.update(is_hidden=True)
    pk = avatar.pk if path == AVATARS else avatar.default_voice_id
    assert data_of(owner.client.get(path)) == []
    assert refusal_of(owner.client.get(f"{path}/{pk}")) == (404, "not_found")


@pytest.mark.parametrize("path", [AVATARS, VOICES])
def test_retired_rows_are_shown_as_unavailable(owner, avatar, path):
    Avatar.objects.update(is_available=False)
    Voice.objects.update(is_available=False)
    pk = avatar.pk if path == AVATARS else avatar.default_voice_id
    assert [row["is_available"] for row in data_of(owner.client.get(path))] == [False]
    assert data_of(owner.client.get(f"{path}/{pk}"))["is_available"] is False


@pytest.mark.parametrize("flag", [{"is_available": False}, {"is_hidden": True}])
def test_no_new_video_is_made_with_a_retired_or_hidden_avatar(owner, flag):
    avatar = make_avatar(**flag)
    with nothing_changes():
        response = owner.client.post("/api/v1/videos", {"script": "Hello.", "avatar_id": str(avatar.pk)})
    assert wrong_fields_of(response) == ["avatar_id"]


@pytest.mark.parametrize("path", [AVATARS, VOICES])
def test_an_unknown_avatar_or_voice_is_a_404(owner, path):
    assert refusal_of(owner.client.get(f"{path}/{uuid.uuid4()}")) == (404, "not_found")


@pytest.mark.parametrize("path", [AVATARS, VOICES])
def test_the_catalogue_needs_credentials(anonymous, path):
    assert refusal_of(anonymous.get(path)) == (401, "not_authenticated")


@pytest.mark.parametrize("path", [AVATARS, VOICES])
@pytest.mark.parametrize("method", ["patch", "delete"])
def test_the_whole_catalogue_cannot_be_changed(owner, path, method):
    assert refusal_of(getattr(owner.client, method)(path)) == (405, "method_not_allowed")


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_shared_row_cannot_be_changed(owner, avatar, method):
    for path, row in ((AVATARS, avatar), (VOICES, avatar.default_voice)):
        answer = getattr(owner.client, method)(f"{path}/{row.pk}", {"name": "Mine"} if method == "patch" else None)
        assert refusal_of(answer) == (409, "invalid_state")


@pytest.mark.usefixtures("still_caches")
@pytest.mark.parametrize("path", [AVATARS, VOICES])
def test_a_catalogue_list_takes_two_queries_for_any_number_of_rows_and_none_once_warm(owner, path):
    found = []
    for number in (1, 2, 7):
        while Avatar.objects.count() < number:
            make_avatar()
        data_of(owner.client.get("/api/v1/profile"))
        found.append([queries_of(lambda: owner.client.get(path)) for _ in range(3)])
    assert found == [[2, 0, 0]] * 3


@pytest.fixture(params=["avatars", "voices", "one avatar", "one voice"])
def address(request, avatar):
    one = {"one avatar": f"{AVATARS}/{avatar.pk}", "one voice": f"{VOICES}/{avatar.default_voice_id}"}
    return {"avatars": AVATARS, "voices": VOICES, **one}[request.param]


def test_an_unchanged_catalogue_answer_has_one_etag(owner, outsider, address):
    etags = {person.client.get(address)["ETag"] for person in (owner, owner, outsider)}
    assert len(etags) == 1


def test_a_matching_etag_gets_a_304_without_a_body(owner, address):
    etag = owner.client.get(address)["ETag"]
    response = owner.client.get(address, HTTP_IF_NONE_MATCH=etag)
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)


@pytest.mark.parametrize("given", ["*", "W/{etag}", '"other", {etag}'])
def test_if_none_match_may_be_written_in_any_way(owner, avatar, given):
    etag = owner.client.get(AVATARS)["ETag"]
    response = owner.client.get(AVATARS, HTTP_IF_NONE_MATCH=given.format(etag=etag))
    assert response.status_code == 304


def test_an_outdated_etag_gets_the_new_answer(owner, address):
    etag = owner.client.get(address)["ETag"]
    Avatar.objects.update(name="New")
    Voice.objects.update(name="New")
    response = owner.client.get(address, HTTP_IF_NONE_MATCH=etag)
    assert (response.status_code, response["ETag"] == etag) == (200, False)


def test_pages_of_voices_have_different_etags(owner):
    make_voice()
    make_voice()
    etags = {owner.client.get(VOICES, {"limit": limit})["ETag"] for limit in (1, 2)}
    assert len(etags) == 2


def test_an_unknown_avatar_is_a_404_for_any_if_none_match(owner):
    response = owner.client.get(f"{AVATARS}/{uuid.uuid4()}", HTTP_IF_NONE_MATCH="*")
    assert refusal_of(response) == (404, "not_found")


def test_catalogue_answers_are_cached_by_the_client_alone(owner, avatar):
    assert owner.client.get(AVATARS)["Cache-Control"] == "private, max-age=60"
