"""Every error is the envelope, whoever raised it."""

import uuid

import pytest

from accounts.models import User
from genvid.tests.asserts import doc_url_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.factories import JsonClient, make_video

pytestmark = pytest.mark.django_db
REGISTER = "/api/v1/auth/register"
MIB = 1024 * 1024


def post_raw(client: JsonClient, body: bytes, path: str = REGISTER, content_type: str = "application/json", **headers):
    return client.generic("POST", path, body, content_type=content_type, **headers)


def test_success_wraps_the_data_and_names_the_request(owner):
    response = owner.client.get("/api/v1/billing/wallet", HTTP_X_REQUEST_ID="abc")
    assert response.json() == {
        "success": True,
        "data": {"balance": 30, "held": 0, "available": 30, "expiring": []},
        "meta": {"request_id": "abc"},
    }


def test_an_error_has_code_message_and_whether_a_retry_helps(anonymous):
    response = anonymous.get("/api/v1/profile", HTTP_X_REQUEST_ID="abc")
    message = "Authentication is missing or not valid."
    assert response.json() == {
        "success": False,
        "error": {
            "code": "not_authenticated",
            "message": message,
            "retryable": False,
            "doc_url": doc_url_of("not_authenticated"),
        },
        "meta": {"request_id": "abc"},
    }


def test_an_error_says_where_it_is_explained(anonymous, settings):
    settings.PUBLIC_URL = "https://videos.example"
    response = anonymous.get("/api/v1/nothing")
    assert refusal_of(response) == (404, "not_found")
    assert response.json()["error"]["doc_url"] == "https://videos.example/docs/errors#not_found"


def test_a_wrong_field_is_a_400_that_names_it(anonymous):
    with nothing_changes():
        response = anonymous.post(REGISTER, {"email": "ada@example.com"})
    assert refusal_of(response) == (400, "validation_error")
    assert response.json()["error"]["details"] == {"password": "This field is required."}


def test_nested_fields_are_dotted(owner, avatar):
    body = {"script": "Hello.", "avatar_id": str(avatar.pk), "background": {"type": "color", "value": "red"}}
    assert wrong_fields_of(owner.client.post("/api/v1/videos", body)) == ["background.value"]


def test_no_credentials_is_a_401_that_says_how(anonymous):
    response = anonymous.get("/api/v1/videos")
    assert refusal_of(response) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "Bearer nonsense", "Bearer \xff", "bearer a b"])
def test_bad_credentials_are_a_401(anonymous, header):
    response = anonymous.get("/api/v1/videos", HTTP_AUTHORIZATION=header)
    assert refusal_of(response) == (401, "not_authenticated")


def test_a_viewer_who_writes_gets_a_403(viewer, avatar):
    body = {"script": "Hello.", "avatar_id": str(avatar.pk)}
    with nothing_changes():
        response = viewer.client.post("/api/v1/videos", body)
    assert refusal_of(response) == (403, "permission_denied")


def test_somebody_elses_row_is_a_404(owner, outsider, avatar):
    video = make_video(owner, avatar=avatar)
    assert refusal_of(outsider.client.get(f"/api/v1/videos/{video.pk}")) == (404, "not_found")


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1/", "/api/v1/nope", "/api/v2/videos", "/api/v1/videos/", "/api/v1/videos/7"]
)
def test_an_unknown_path_is_a_404_also_while_debugging(anonymous, settings, path, debug):
    settings.DEBUG = debug
    assert refusal_of(anonymous.get(path)) == (404, "not_found")


@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.parametrize("path", ["/api/v1/videos/", "/api/v1/billing/wallet/", "/api/v1/videos//", "/healthz/"])
def test_a_slash_at_the_end_is_a_404_that_says_so(owner, path, method):
    response = getattr(owner.client, method)(path)
    assert refusal_of(response) == (404, "not_found")
    assert response.json()["error"]["message"].endswith("end without a slash: leave the last one out.")


@pytest.mark.parametrize("path", ["/api/v1/nope/", "/nope/", "/api/"])
def test_an_unknown_path_with_a_slash_has_no_hint(anonymous, path):
    assert anonymous.get(path).json()["error"]["message"] == "There is nothing at this address."


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("query", ["?limit=1", "?nonsense=1", "?limit=1&limit=2"])
def test_a_wrong_method_is_a_405_whatever_the_query_and_the_body(owner, anonymous, method, query):
    for client in (owner.client, anonymous):
        response = getattr(client, method)(f"/api/v1/voices{query}", {"nonsense": 1})
        assert refusal_of(response) == (405, "method_not_allowed")


def test_an_unknown_path_outside_the_api_is_a_404(anonymous):
    assert refusal_of(anonymous.get("/nope")) == (404, "not_found")


def test_an_unknown_path_is_a_404_for_a_post_too():
    with_csrf_checks = JsonClient(enforce_csrf_checks=True)
    assert refusal_of(with_csrf_checks.post("/api/v1/nope", {})) == (404, "not_found")


def test_a_method_that_is_not_offered_is_a_405_that_says_which_are(owner):
    response = owner.client.delete("/api/v1/videos")
    assert refusal_of(response) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"


@pytest.mark.parametrize("size", [MIB + 1, 5 * MIB])
def test_a_body_over_a_mebibyte_is_a_413(anonymous, size):
    with nothing_changes():
        response = post_raw(anonymous, b'{"email": "' + b"a" * (size - 13) + b'"}')
    assert refusal_of(response) == (413, "payload_too_large")


@pytest.mark.parametrize("size", [MIB + 1, 5 * MIB])
def test_a_body_over_a_mebibyte_is_a_413_with_an_idempotency_key_too(owner, size):
    response = post_raw(owner.client, b" " * size, "/api/v1/videos", HTTP_IDEMPOTENCY_KEY="big")
    assert refusal_of(response) == (413, "payload_too_large")


def test_a_body_of_exactly_a_mebibyte_is_read(anonymous):
    body = b'{"email": "a"}'
    assert wrong_fields_of(post_raw(anonymous, body + b" " * (MIB - len(body)))) == ["email", "password"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_a_content_type_other_than_json_is_a_415(anonymous, content_type):
    with nothing_changes():
        response = post_raw(anonymous, b"email=a", content_type=content_type)
    assert refusal_of(response) == (415, "unsupported_media_type")


def test_a_charset_beside_the_content_type_is_fine(anonymous):
    response = post_raw(anonymous, b"{}", content_type="application/json; charset=utf-8")
    assert wrong_fields_of(response) == ["email", "password"]


UNREADABLE = {
    "malformed": b'{"email": ',
    "trailing comma": b'{"email": "a",}',
    "single quotes": b"{'email': 1}",
    "two values": b"{} {}",
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"email": Infinity}',
    "minus Infinity": b'{"email": -Infinity}',
    "a key twice": b'{"email": "a@example.com", "email": "b@example.com"}',
    "a nested key twice": b'{"email": {"a": 1, "a": 1}}',
    "bad UTF-8": b'{"email": "\xff\xfe"}',
    "overlong UTF-8": b'{"email": "\xc0\xaf"}',
    "UTF-16": '{"email": "a"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"email": "a"}',
    "a lone surrogate": b'{"email": "\\ud800"}',
    "a surrogate as bytes": b'{"email": "\xed\xa0\x80"}',
    "a bare control character": b'{"email": "\x00"}',
    "nested a hundred thousand deep": b"[" * 100_000 + b"]" * 100_000,
    "objects nested deep": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "a number of five thousand digits": b'{"email": ' + b"9" * 5_000 + b"}",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_not_json_is_a_parse_error(anonymous, body):
    with nothing_changes():
        response = post_raw(anonymous, body)
    assert refusal_of(response) == (400, "parse_error")


@pytest.mark.parametrize("depth", [100, 900, 1000, 1024])
def test_deep_nesting_that_is_json_is_still_a_400(anonymous, depth):
    response = post_raw(anonymous, b'{"email":' + b"[" * depth + b"]" * depth + b"}")
    assert response.status_code == 400


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"1", b"true"])
def test_json_that_is_not_an_object_is_a_400(anonymous, body):
    assert wrong_fields_of(post_raw(anonymous, body)) == ["body"]


@pytest.mark.parametrize("field", ["email", "password", "full_name", "company_name"])
def test_a_nul_character_is_a_400_on_its_field(anonymous, field):
    given = {"email": "ada@example.com", "password": "a long enough one"}
    with nothing_changes():
        response = anonymous.post(REGISTER, given | {field: "a\x00@example.com"})
    assert wrong_fields_of(response) == [field]


@pytest.mark.parametrize("query", ["search", "gender", "tag", "kind", "premium", "limit"])
def test_a_nul_character_in_the_query_is_a_400(owner, query):
    assert wrong_fields_of(owner.client.get(f"/api/v1/avatars?{query}=%00")) == [query]


def test_a_nul_character_in_the_path_is_a_404(owner):
    assert refusal_of(owner.client.get("/api/v1/videos/%00")) == (404, "not_found")


def test_a_host_that_is_not_ours_is_a_400(anonymous):
    response = anonymous.get("/api/v1/profile", HTTP_HOST="elsewhere.example")
    assert refusal_of(response) == (400, "validation_error")


def test_an_unexpected_exception_is_a_500_without_secrets(anonymous, settings):
    settings.ROOT_URLCONF = "genvid.tests.broken_urls"
    response = anonymous.get("/broken")
    assert refusal_of(response) == (500, "server_error")
    assert b"secret" not in response.content


def test_a_500_outside_the_framework_is_the_envelope_too(db, settings):
    settings.ROOT_URLCONF = "genvid.tests.broken_urls"
    response = JsonClient(raise_request_exception=False).get("/broken-page")
    assert refusal_of(response) == (500, "server_error")
    assert b"secret" not in response.content


def test_a_lost_database_is_a_503_worth_retrying(anonymous, settings):
    settings.ROOT_URLCONF = "genvid.tests.broken_urls"
    response = anonymous.get("/without-database")
    assert refusal_of(response) == (503, "provider_unavailable")
    assert (response.json()["error"]["retryable"], response["Retry-After"]) == (True, "2")
    assert b"secret" not in response.content


def test_an_answer_is_json_whatever_the_client_accepts(anonymous):
    response = anonymous.get(f"/api/v1/videos/{uuid.uuid4()}", HTTP_ACCEPT="text/html")
    assert response["Content-Type"] == "application/json"


def test_a_stale_token_does_not_keep_anybody_from_signing_in(owner):
    nonsense = JsonClient("nonsense")
    response = nonsense.post("/api/v1/auth/login", {"email": owner.user.email, "password": owner.password})
    assert response.status_code == 200


def test_times_are_utc_with_a_z(owner):
    created_at = owner.client.get("/api/v1/profile").json()["data"]["created_at"]
    assert created_at == User.objects.get().created_at.isoformat().replace("+00:00", "Z")
