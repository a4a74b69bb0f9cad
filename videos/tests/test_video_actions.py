"""Requests of clients: quotes, new videos, drafts, and every refusal."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Hold
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.factories import SCRIPT, make_avatar, make_caller, make_video, make_voice
from videos.models import Video, VideoEvent
from videos.queue import queue_snapshot
from videos.tests.pipeline import Money, money_of

pytestmark = pytest.mark.django_db
VIDEOS, QUOTE = "/api/v1/videos", "/api/v1/videos/quote"
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
NOBODY = "00000000-0000-4000-8000-000000000000"
PUBLIC_IMAGE = {"type": "image", "url": "https://93.184.215.14/office.jpg"}

FULL = {
    "title": "Spring sale",
    "format": "9:16",
    "resolution": "720p",
    "language": "en",
    "captions": True,
    "background": {"type": "color", "value": "#1a2B3c"},
    "speed": 1.25,
    "metadata": {"order": "42"},
}


@pytest.fixture
def payload(avatar) -> dict[str, Any]:
    """The smallest body of a new video."""
    return {"script": SCRIPT, "avatar_id": str(avatar.pk)}


def create(person, payload, **more) -> Any:
    return person.client.post(VIDEOS, payload | more)


def refused_fields(person, payload, **more) -> list[str]:
    """The fields that POST videos and POST videos/quote both refuse; neither may change a row."""
    with nothing_changes():
        created = wrong_fields_of(person.client.post(VIDEOS, payload | more))
        quoted = wrong_fields_of(person.client.post(QUOTE, payload | more))
    assert created == quoted
    return created


# ── Created


def test_a_new_video_is_queued_and_has_every_field(avatar, voice):
    with time_machine.travel(NOON, tick=False):
        person = make_caller()
        queue_snapshot.refresh()
        data = data_of(create(person, {"script": SCRIPT, "avatar_id": str(avatar.pk)}), 201)
    assert data == {
        "id": str(Video.objects.get().pk),
        "title": "",
        "status": "queued",
        "progress_percent": 0,
        "kind": "avatar",
        "speech_id": None,
        "audio": None,
        "picture": None,
        "script": SCRIPT,
        "avatar_id": str(avatar.pk),
        "voice_id": str(voice.pk),
        "format": "16:9",
        "resolution": "1080p",
        "language": None,
        "captions": False,
        "background": None,
        "speed": 1.0,
        "metadata": {},
        "batch_id": None,
        "retry_of": None,
        "duration_seconds": None,
        "file_url": None,
        "thumbnail_url": None,
        "captions_url": None,
        "credits": {"held": 5, "charged": 0},
        "error": None,
        "warnings": [],
        "waiting_for": "slot",
        "queue_position": 1,
        "eta_seconds": 144,
        "cancel_credits": 0,
        "created_at": "2027-03-01T12:00:00Z",
        "updated_at": "2027-03-01T12:00:00Z",
        "submitted_at": None,
        "completed_at": None,
        "expires_at": None,
        "is_test": False,
    }


def test_every_field_of_a_new_video_is_stored_as_it_was_sent(owner, payload):
    voice = make_voice()
    given = payload | FULL | {"voice_id": str(voice.pk)}
    data = data_of(owner.client.post(VIDEOS, given), 201)
    assert {name: data[name] for name in given} == given


def test_a_new_video_can_be_read_back(owner, payload):
    data = data_of(create(owner, payload), 201)
    assert data_of(owner.client.get(f"{VIDEOS}/{data['id']}")) == data


def test_a_new_video_holds_its_credits(owner, payload):
    create(owner, payload)
    assert money_of(owner) == Money(balance=30, held=5, holds=1)
    assert Hold.objects.get().reference == Video.objects.get().money_reference


def test_a_new_video_has_the_start_of_its_history(owner, payload):
    create(owner, payload)
    events = VideoEvent.objects.order_by("id").values_list("from_status", "to_status", "reason")
    assert list(events) == [("", "draft", "created"), ("draft", "queued", "accepted")]


def test_a_new_video_belongs_to_the_account_and_names_the_user_who_made_it(owner, teammate, payload):
    create(teammate, payload)
    video = Video.objects.get()
    assert (video.account_id, video.created_by_id) == (owner.account.pk, teammate.user.pk)


def test_a_new_video_enqueues_the_scheduler(owner, payload, woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        create(owner, payload)
    assert woken == [("videos.dispatch",)]


@pytest.mark.parametrize("video_format", ["16:9", "9:16", "1:1", "4:5", "5:4"])
def test_a_video_of_every_format_can_be_ordered(owner, payload, video_format):
    assert data_of(create(owner, payload, format=video_format), 201)["format"] == video_format


@pytest.mark.parametrize("speed", [0.5, 1, 1.5])
def test_the_lowest_and_highest_speed_are_permitted(owner, payload, speed):
    assert data_of(create(owner, payload, speed=speed), 201)["speed"] == speed


@pytest.mark.parametrize("name", ["voice_id", "language", "background"])
def test_optional_fields_may_be_null(owner, payload, name):
    plain = data_of(create(owner, payload), 201)
    assert data_of(create(owner, payload, **{name: None}), 201)[name] == plain[name]


@pytest.mark.parametrize("language", ["English", "english", "en", "EN", "en-US", "en-us"])
def test_a_language_is_a_name_or_a_code(owner, payload, language):
    assert data_of(create(owner, payload, language=language), 201)["language"] == language


@pytest.mark.parametrize(
    ("spoken", "code"),
    [
        ("English", "en-GB"),
        ("English", "en-AU"),
        ("Portuguese", "pt-BR"),
        ("Spanish", "es-MX"),
        ("Chinese", "zh-CN"),
    ],
)
def test_a_voice_speaks_the_regional_codes_of_its_language(owner, payload, spoken, code):
    voice = make_voice(language=spoken)
    response = create(owner, payload, voice_id=str(voice.pk), language=code)
    assert data_of(response, 201)["language"] == code


def test_an_image_in_public_may_be_the_background(owner, payload):
    assert data_of(create(owner, payload, background=PUBLIC_IMAGE), 201)["background"] == PUBLIC_IMAGE


def test_a_title_is_stripped_of_blanks_and_a_script_is_not(owner, payload):
    data = data_of(create(owner, payload, title="  Sale ", script=" Hello. "), 201)
    assert (data["title"], data["script"]) == ("Sale", " Hello. ")


def test_the_longest_values_are_permitted(payload):
    long = {"title": "t" * 200, "script": "a" * 5000}
    long |= {"metadata": {f"{number:064}": "v" * 500 for number in range(20)}}
    data = data_of(create(make_caller(balance=1000), payload, **long), 201)
    assert {name: data[name] for name in long} == long


def test_an_avatar_without_a_voice_takes_the_one_that_is_named(owner):
    mute, voice = make_avatar(default_voice=None), make_voice()
    response = create(owner, {"script": SCRIPT, "avatar_id": str(mute.pk), "voice_id": str(voice.pk)})
    assert data_of(response, 201)["voice_id"] == str(voice.pk)


# ── Drafts


def test_a_draft_is_not_queued_and_holds_no_credits(owner, payload):
    data = data_of(create(owner, payload, draft=True), 201)
    assert (data["status"], data["queue_position"], data["eta_seconds"]) == ("draft", None, None)
    assert (data["credits"], money_of(owner)) == ({"held": 0, "charged": 0}, Money(balance=30))


def test_a_draft_needs_no_credits(payload):
    assert data_of(create(make_caller(balance=0), payload, draft=True), 201)["status"] == "draft"


def test_a_video_with_draft_false_is_queued(owner, payload):
    assert data_of(create(owner, payload, draft=False), 201)["status"] == "queued"


# ── Quotes


@pytest.mark.usefixtures("queue_is_current")
def test_a_quote_has_every_field_and_changes_nothing(owner, payload):
    with nothing_changes():
        data = data_of(owner.client.post(QUOTE, payload))
    assert data == {
        "credits": 5,
        "estimated_seconds": 4,
        "available_credits": 30,
        "affordable": True,
        "eta_seconds": 144,
        "hold_factor": 1.0,
        "warnings": [],
        "waiting_for": None,
    }


@pytest.mark.usefixtures("queue_is_current")
@pytest.mark.parametrize("more", [{}, FULL, {"speed": 0.5}, {"draft": False}], ids=str)
def test_a_quote_says_what_a_new_video_then_holds(owner, payload, more):
    quoted = data_of(owner.client.post(QUOTE, payload | more))
    created = data_of(create(owner, payload, **more), 201)
    assert created["credits"] == {"held": quoted["credits"], "charged": 0}
    assert created["eta_seconds"] == quoted["eta_seconds"]


def test_a_quote_subtracts_what_is_held(owner, payload):
    create(owner, payload)
    assert data_of(owner.client.post(QUOTE, payload))["available_credits"] == 25


@pytest.mark.parametrize(("balance", "affordable"), [(5, True), (4, False), (0, False)])
def test_a_quote_says_whether_the_wallet_covers_it(payload, balance, affordable):
    data = data_of(make_caller(balance=balance).client.post(QUOTE, payload))
    assert (data["available_credits"], data["affordable"]) == (balance, affordable)


def test_a_viewer_may_ask_for_a_quote(viewer, payload):
    assert data_of(viewer.client.post(QUOTE, payload))["credits"] == 5


# ── Credits


def test_the_last_credit_may_be_held(payload):
    person = make_caller(balance=5)
    assert data_of(create(person, payload), 201)["status"] == "queued"
    assert money_of(person) == Money(balance=5, held=5, holds=1)


def test_a_video_that_the_wallet_does_not_cover_is_not_made(payload):
    person = make_caller(balance=4)
    with nothing_changes():
        response = create(person, payload)
    assert refusal_of(response) == (402, "insufficient_credits")
    assert response.json()["error"]["retryable"] is False


def test_a_video_that_the_wallet_does_not_cover_enqueues_no_job(payload, woken, django_capture_on_commit_callbacks):
    person = make_caller(balance=4)
    with django_capture_on_commit_callbacks(execute=True):
        create(person, payload)
    assert woken == []


def test_credits_that_another_video_holds_cannot_be_held_again(payload):
    person = make_caller(balance=9)
    create(person, payload)
    with nothing_changes():
        response = create(person, payload)
    assert refusal_of(response) == (402, "insufficient_credits")


# ── Refused requests

UNSPEAKABLE = ["", " \n\t", "?! … —", "🎉🎉", '<break time="2s"/>', "\u200b", "a" * 5001]
WRONG = [
    *[("script", script) for script in (*UNSPEAKABLE, 7, True, None, ["Hello"], {"text": "Hello"}, "a\x00b")],
    *[("title", title) for title in ("t" * 201, 7, None, True, [], "a\x00b")],
    *[("avatar_id", given) for given in (NOBODY, "", "look_1", 7, None, ["x"])],
    *[("voice_id", given) for given in (NOBODY, "", "voice_1", 7, [])],
    *[("format", given) for given in ("", "4:3", "16x9", 169, None, True)],
    *[("resolution", given) for given in ("", "4k", "1080", 1080, None)],
    *[("language", given) for given in ("", "Klingon please", "xx", 7, True, "l" * 101)],
    *[("captions", given) for given in ("true", 1, 0, None, "")],
    *[("speed", given) for given in (0.49, 1.51, 0, -1, "1", True, None, [1.0])],
    *[("metadata", given) for given in (None, [], "a", {"a": 1}, {"a": None}, {"a": {}}, {"": "a"})],
    ("metadata", {str(number): "v" for number in range(21)}),
    ("metadata", {"k" * 65: "v"}),
    ("metadata", {"k": "v" * 501}),
    ("metadata", {"k": "a\x00b"}),
    *[("draft", given) for given in ("true", 1, None)],
    *[("background", given) for given in ("#112233", [], 7, True)],
]


def id_of(value: object) -> str:
    return ascii(value)[:30]


@pytest.mark.parametrize(("field", "value"), WRONG, ids=id_of)
def test_a_field_of_a_wrong_value_is_named(owner, payload, field, value):
    assert refused_fields(owner, payload, **{field: value}) == [field]


@pytest.mark.parametrize(
    ("metadata", "said"),
    [(None, "This field may not be null."), ({"k": "a\x00b"}, "Null characters are not allowed.")],
)
def test_null_metadata_and_null_characters_have_different_messages(owner, payload, metadata, said):
    error = create(owner, payload, metadata=metadata).json()["error"]
    assert error["details"] == {"metadata": said}


@pytest.mark.parametrize("field", ["script", "avatar_id"])
def test_a_missing_required_field_is_named(owner, payload, field):
    del payload[field]
    assert refused_fields(owner, payload) == [field]


def test_every_wrong_field_is_named_at_once(owner):
    payload = {"script": "", "avatar_id": "x", "speed": 9, "format": "x", "titel": "x"}
    assert refused_fields(owner, payload) == ["avatar_id", "format", "script", "speed", "titel"]


def test_an_unknown_field_is_named(owner, payload):
    assert refused_fields(owner, payload, scirpt="Hello.") == ["scirpt"]


@pytest.mark.parametrize("field", ["id", "status", "credits", "account_id", "created_at", "engine", "retry_of"])
def test_a_field_that_only_the_server_sets_is_unknown(owner, payload, field):
    assert refused_fields(owner, payload, **{field: "x"}) == [field]


@pytest.mark.parametrize("state", [{"is_available": False}, {"is_hidden": True}], ids=str)
def test_an_avatar_that_is_retired_or_hidden_is_refused(owner, state):
    gone = make_avatar(**state)
    assert refused_fields(owner, {"script": SCRIPT, "avatar_id": str(gone.pk)}) == ["avatar_id"]


@pytest.mark.parametrize("state", [{"is_available": False}, {"is_hidden": True}, {"language": "German"}], ids=str)
def test_a_voice_that_is_retired_or_hidden_or_speaks_another_language_is_refused(owner, payload, state):
    voice = make_voice(**state)
    assert refused_fields(owner, payload, voice_id=str(voice.pk), language="English") == ["voice_id"]


def test_an_avatar_without_a_voice_needs_one(owner):
    mute = make_avatar(default_voice=None)
    assert refused_fields(owner, {"script": SCRIPT, "avatar_id": str(mute.pk)}) == ["voice_id"]


def test_an_avatar_whose_own_voice_is_retired_needs_another(owner):
    hoarse = make_avatar(default_voice=make_voice(is_available=False))
    assert refused_fields(owner, {"script": SCRIPT, "avatar_id": str(hoarse.pk)}) == ["voice_id"]


def test_a_language_that_the_avatars_own_voice_does_not_speak_is_refused(owner, payload):
    assert refused_fields(owner, payload, language="de") == ["voice_id"]


@pytest.mark.parametrize("language", ["E", "eng", "Englis"])
def test_the_beginning_of_a_language_is_no_language(owner, payload, language):
    assert refused_fields(owner, payload, language=language) == ["language"]


BACKGROUNDS = [
    ({}, ["background.type"]),
    ({"type": "video"}, ["background.type"]),
    ({"type": None, "value": "#112233"}, ["background.type"]),
    ({"type": "color"}, ["background.value"]),
    ({"type": "color", "value": "112233"}, ["background.value"]),
    ({"type": "color", "value": "#12345"}, ["background.value"]),
    ({"type": "color", "value": "#11223g"}, ["background.value"]),
    ({"type": "color", "value": "red"}, ["background.value"]),
    ({"type": "color", "value": 112233}, ["background.value"]),
    ({"type": "color", "value": None}, ["background.value"]),
    ({"type": "color", "value": "#112233", "url": PUBLIC_IMAGE["url"]}, ["background.url"]),
    ({"type": "image"}, ["background.url"]),
    ({"type": "image", "url": 7}, ["background.url"]),
    ({**PUBLIC_IMAGE, "value": "#112233"}, ["background.value"]),
    ({"type": "color", "value": "#112233", "colour": "x"}, ["background.colour"]),
    ({"type": "x", "value": "x", "url": 7}, ["background.type", "background.url", "background.value"]),
]


@pytest.mark.parametrize(("background", "fields"), BACKGROUNDS, ids=id_of)
def test_wrong_fields_of_a_background_are_named_with_dots(owner, payload, background, fields):
    assert refused_fields(owner, payload, background=background) == fields


ADDRESSES = {
    "loopback": "http://127.0.0.1/x.png",
    "loopback by name": "http://localhost/x.png",
    "private": "https://10.0.0.7/x.png",
    "private, too": "https://192.168.1.1/x.png",
    "link-local": "http://169.254.169.254/latest/meta-data",
    "unspecified": "http://0.0.0.0/x.png",
    "carrier": "http://100.64.0.1/x.png",
    "decimal": "http://2130706433/x.png",
    "hexadecimal": "http://0x7f000001/x.png",
    "octal": "http://0177.0.0.1/x.png",
    "short": "http://127.1/x.png",
    "IPv6 loopback": "http://[::1]/x.png",
    "IPv6-mapped": "http://[::ffff:127.0.0.1]/x.png",
    "IPv6 unique local": "http://[fd00::1]/x.png",
    "IPv6 link-local": "http://[fe80::1%25eth0]/x.png",
    "unresolvable": "https://nowhere.invalid/x.png",
    "internal": "http://metadata.google.internal/x.png",
    "with a password": "https://user:secret@93.184.215.14/x.png",
    "another scheme": "ftp://93.184.215.14/x.png",
    "a file": "file:///etc/passwd",
    "data": "data:image/png;base64,AAAA",
    "a low port": "http://93.184.215.14:22/x.png",
    "no host": "https:///x.png",
    "no address": "office.jpg",
    "a line break": "https://93.184.215.14/x\r\n.png",
    "a backslash": "https://93.184.215.14\\@127.0.0.1/x.png",
    "too long": f"https://93.184.215.14/{'x' * 2000}",
    "empty": "",
}


@pytest.mark.parametrize("url", ADDRESSES.values(), ids=ADDRESSES.keys())
def test_an_image_that_is_not_in_public_is_refused(owner, payload, url):
    assert refused_fields(owner, payload, background={"type": "image", "url": url}) == ["background.url"]


LONG_PAUSES = [(VIDEOS, 10), (VIDEOS, 20), (VIDEOS, 400), (QUOTE, 20), (QUOTE, 400)]


@pytest.mark.parametrize(("path", "digits"), LONG_PAUSES)
def test_a_pause_longer_than_any_video_is_never_a_500(owner, payload, path, digits):
    owner.client.raise_request_exception = False
    with nothing_changes():
        response = owner.client.post(path, payload | {"script": f'Hi <break time="{"9" * digits}s"/>'})
    assert response.status_code < 500


# ── Bodies that are no object


@pytest.mark.parametrize("body", ["[]", '[{"script": "Hello."}]', '"Hello."', "7", "null", "true"])
@pytest.mark.parametrize("path", [VIDEOS, QUOTE])
def test_a_body_that_is_no_object_is_refused(owner, path, body):
    with nothing_changes():
        response = owner.client.generic("POST", path, body, content_type="application/json")
    assert wrong_fields_of(response) == ["body"]


@pytest.mark.parametrize(
    "body", ["{", '{"speed": NaN}', '{"script": "a", "script": "b"}', b"\xff", '{"title": "\\ud800"}']
)
def test_a_body_that_is_no_json_is_refused(owner, body):
    with nothing_changes():
        response = owner.client.generic("POST", VIDEOS, body, content_type="application/json")
    assert refusal_of(response) == (400, "parse_error")


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml"])
def test_a_body_with_another_content_type_than_json_is_refused(owner, content_type):
    with nothing_changes():
        response = owner.client.generic("POST", VIDEOS, "script=Hello", content_type=content_type)
    assert refusal_of(response) == (415, "unsupported_media_type")


def test_a_person_whose_address_is_not_verified_makes_no_video(owner, payload, settings):
    settings.REQUIRE_VERIFIED_EMAIL = True
    with nothing_changes():
        response = create(owner, payload)
    assert refusal_of(response) == (403, "email_not_verified")


# ── Queue position of a new video


@pytest.mark.parametrize("is_busy", [False, True], ids=["free", "busy"])
def test_a_new_video_is_answered_with_the_queue_position_of_its_detail(owner, avatar, settings, is_busy):
    settings.HEYGEN_MAX_CONCURRENT = 1
    if is_busy:
        make_video(owner, "rendering", avatar=avatar)
    queue_snapshot.refresh()
    for number in range(3):
        made = data_of(owner.client.post(VIDEOS, {"script": "Hello.", "avatar_id": str(avatar.pk)}), 201)
        seen = data_of(owner.client.get(f"{VIDEOS}/{made['id']}"))
        names = ("status", "queue_position", "waiting_for")
        assert [made[name] for name in names] == [seen[name] for name in names] == ["queued", number + 1, "slot"]


def test_the_queue_position_of_a_new_video_is_read_once(owner, avatar):
    queue_snapshot.refresh()
    with CaptureQueriesContext(connection) as queries:
        data_of(owner.client.post(VIDEOS, {"script": "Hello.", "avatar_id": str(avatar.pk)}), 201)
    statements = [query["sql"] for query in queries.captured_queries]
    assert sum("videos_queuesnapshot" in statement for statement in statements) == 1
    assert sum("videos_providerstate" in statement for statement in statements) == 0
