"""Wrong types, unknown fields and unknown parameters are refused by name."""

import pytest

from genvid.tests.asserts import nothing_changes, wrong_fields_of

pytestmark = pytest.mark.django_db
REGISTER = "/api/v1/auth/register"
GOOD = {"email": "ada@example.com", "password": "a long enough one", "full_name": "Ada", "company_name": "Ada Ltd"}


@pytest.fixture
def payload(avatar):
    return {"script": "Hello.", "avatar_id": str(avatar.pk)}


@pytest.mark.parametrize("value", [1, 1.5, True, None, [], {}, ["ada@example.com"]], ids=repr)
@pytest.mark.parametrize("field", GOOD)
def test_text_must_be_text(anonymous, field, value):
    with nothing_changes():
        response = anonymous.post(REGISTER, GOOD | {field: value})
    assert wrong_fields_of(response) == [field]


@pytest.mark.parametrize("value", ["true", "yes", 1, 0, None, [], {}], ids=repr)
def test_a_switch_must_be_true_or_false(owner, value):
    with nothing_changes():
        response = owner.client.patch("/api/v1/profile", {"email_notifications": value})
    assert wrong_fields_of(response) == ["email_notifications"]


@pytest.mark.parametrize("value", [5, True, None, "", "english please", ["en"]], ids=repr)
def test_a_language_must_be_a_code(owner, value):
    with nothing_changes():
        response = owner.client.patch("/api/v1/profile", {"preferred_language": value})
    assert wrong_fields_of(response) == ["preferred_language"]


@pytest.mark.parametrize("value", ["1.0", True, None, [1], "fast", 0.49, 1.51], ids=repr)
def test_a_number_must_be_a_number_in_range(owner, payload, value):
    response = owner.client.post("/api/v1/videos/quote", payload | {"speed": value})
    assert wrong_fields_of(response) == ["speed"]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400, "1" + "0" * 30])
def test_a_number_that_no_machine_holds_is_a_400(owner, avatar, number):
    body = f'{{"script": "Hello.", "avatar_id": "{avatar.pk}", "speed": {number}}}'
    response = owner.client.generic("POST", "/api/v1/videos/quote", body, content_type="application/json")
    assert response.status_code == 400


@pytest.mark.parametrize("value", [7, True, None, "", "7", "0" * 32, "not-a-uuid", ["x"]], ids=repr)
def test_an_id_must_be_a_whole_uuid(owner, payload, value):
    response = owner.client.post("/api/v1/videos/quote", payload | {"avatar_id": value})
    assert wrong_fields_of(response) == ["avatar_id"]


@pytest.mark.parametrize("value", [169, "16x9", "16:9 ", None, ["16:9"], True], ids=repr)
def test_a_choice_must_be_one_of_its_words(owner, payload, value):
    response = owner.client.post("/api/v1/videos/quote", payload | {"format": value})
    assert wrong_fields_of(response) == ["format"]


@pytest.mark.parametrize("value", [{"a": 1}, {"a": None}, {"": "a"}, [], "a", None, {"a": ["b"]}], ids=repr)
def test_metadata_must_be_pairs_of_strings(owner, payload, value):
    response = owner.client.post("/api/v1/videos/quote", payload | {"metadata": value})
    assert wrong_fields_of(response) == ["metadata"]


@pytest.mark.parametrize(
    "path", ["auth/register", "auth/login", "auth/refresh", "auth/logout", "auth/email/verify", "videos"]
)
def test_an_unknown_field_is_named_beside_the_missing_ones(owner, path):
    with nothing_changes():
        response = owner.client.post(f"/api/v1/{path}", {"emial": "ada@example.com"})
    assert response.json()["error"]["details"]["emial"] == "Unknown field."


def test_a_field_that_may_not_change_is_an_unknown_field(owner):
    with nothing_changes():
        response = owner.client.patch("/api/v1/profile", {"email": "new@example.com", "full_name": "New"})
    assert wrong_fields_of(response) == ["email"]


def test_an_unknown_nested_field_is_dotted(owner, payload):
    background = {"type": "color", "value": "#112233", "colour": 1}
    response = owner.client.post("/api/v1/videos/quote", payload | {"background": background})
    assert wrong_fields_of(response) == ["background.colour"]


PATHS = ["profile", "billing/wallet", "billing/ledger", "avatars", "voices", "videos"]


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_query_parameter_is_refused(owner, path):
    assert wrong_fields_of(owner.client.get(f"/api/v1/{path}?serch=x&limti=1")) == ["limti", "serch"]


@pytest.mark.parametrize("path", ["auth/register", "auth/login", "videos", "videos/quote"])
def test_a_query_parameter_on_a_post_is_refused(owner, path):
    with nothing_changes():
        response = owner.client.post(f"/api/v1/{path}?limit=1", GOOD)
    assert wrong_fields_of(response) == ["limit"]


@pytest.mark.parametrize(
    "path",
    [
        "videos?created_after=2026-13-01T00:00:00Z",
        "videos?created_after=yesterday",
        "videos?status=rendering",
        "videos?avatar_id=7",
        "avatars?kind=robot",
        "avatars?premium=yes",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(owner, path):
    name = path.partition("?")[2].partition("=")[0]
    assert wrong_fields_of(owner.client.get(f"/api/v1/{path}")) == [name]


@pytest.mark.parametrize("value", ["robot", "", 1, None])
def test_what_there_is_to_choose_from_is_named(owner, payload, value):
    details = owner.client.post("/api/v1/videos/quote", payload | {"resolution": value}).json()["error"]["details"]
    named = {None: "This field may not be null."}
    assert details == {"resolution": named.get(value, "Must be one of 720p, 1080p.")}


def test_what_there_is_to_choose_from_is_named_for_each_item_of_a_list(owner):
    details = owner.client.post("/api/v1/webhook-endpoints", {"events": ["nope"]}).json()["error"]["details"]
    assert details["events.0"].startswith("Must be one of ")
    assert "video.completed" in details["events.0"]


def test_what_there_is_to_choose_from_is_named_for_a_filter(owner):
    details = owner.client.get("/api/v1/avatars?kind=robot").json()["error"]["details"]
    assert details == {"kind": "Must be one of studio_avatar, digital_twin, photo_avatar."}
