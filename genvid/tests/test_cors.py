"""Cross-origin requests: who may make them, what a preflight says, and that refusals carry the headers too."""

import re

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from limits import parse

from genvid import rate_limit_storage
from genvid.media_links import signed_link
from genvid.tests.asserts import nothing_changes, refusal_of
from genvid.tests.factories import JsonClient, make_video
from genvid.tests.processes import WebProcess

pytestmark = pytest.mark.django_db

APP = "https://app.example.com"
AVATARS, VIDEOS = "/api/v1/avatars", "/api/v1/videos"
REGISTER = "/api/v1/auth/register"
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
ALLOWED = {
    "Accept",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "Range",
    "X-API-Key",
    "X-Request-Id",
}
EXPOSED = {
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
}


@pytest.fixture
def app_is_allowed(settings):
    settings.CORS_ALLOWED_ORIGINS = [APP]


def names_in(header: str) -> set[str]:
    return set(header.split(", "))


def cors_headers_of(answer) -> dict[str, str]:
    sent = {name.title(): value for name, value in answer.headers.items()}
    return {name: value for name, value in sent.items() if name.startswith("Access-Control-")}


def preflight(path: str, method: str = "POST", origin: str = APP, **headers: str):
    asked = {"Origin": origin, "Access-Control-Request-Method": method, **headers}
    return Client().options(path, headers=asked)


def is_readable_by(answer, origin: str = APP) -> bool:
    """Whether a browser shows this answer, and the headers of the contract, to a page of `origin`."""
    exposed = names_in(answer.get("Access-Control-Expose-Headers", ""))
    return (answer.get("Access-Control-Allow-Origin"), exposed) == (origin, EXPOSED)


# ── Without origins in the settings


def test_without_origins_an_answer_has_no_cors_header_and_does_not_vary(owner):
    answer = owner.client.get(VIDEOS, HTTP_ORIGIN=APP)
    assert (answer.status_code, cors_headers_of(answer), answer.has_header("Vary")) == (200, {}, False)


def test_without_origins_a_preflight_is_an_ordinary_options_request(owner):
    answer = owner.client.options(VIDEOS, HTTP_ORIGIN=APP, HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST")
    assert (answer.status_code, answer["Allow"], cors_headers_of(answer)) == (204, "GET, POST, HEAD, OPTIONS", {})


# ── Preflights


@pytest.mark.usefixtures("app_is_allowed")
class TestPreflight:
    def test_a_preflight_names_the_origin_the_methods_and_the_headers(self):
        answer = preflight(VIDEOS)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer["Access-Control-Allow-Origin"] == APP
        assert answer["Access-Control-Allow-Methods"] == METHODS
        assert names_in(answer["Access-Control-Allow-Headers"]) == ALLOWED
        assert (answer["Access-Control-Max-Age"], answer["Vary"]) == ("7200", "origin")

    def test_a_preflight_carries_a_request_id(self):
        assert preflight(VIDEOS, **{"X-Request-Id": "abc"})["X-Request-Id"] == "abc"

    @pytest.mark.parametrize("path", [VIDEOS, "/api/v1/nope", "/media/token/video.mp4", "/api/v1/auth/register"])
    def test_a_preflight_is_answered_for_every_path_of_the_api_and_the_files(self, path):
        assert preflight(path)["Access-Control-Allow-Origin"] == APP

    def test_a_preflight_neither_needs_nor_checks_credentials(self):
        answer = preflight(VIDEOS, Authorization="Bearer nonsense")
        assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, APP)

    def test_a_preflight_is_not_counted_by_the_rate_limit(self, settings):
        rate_limit_storage.memory().reset()
        settings.RATE_LIMITS, settings.RATE_LIMIT_ANONYMOUS = True, parse("1/minute")
        assert [preflight(AVATARS).status_code for _ in range(3)] == [200, 200, 200]
        assert JsonClient().get(AVATARS)["RateLimit-Remaining"] == "0"
        assert (JsonClient().get(AVATARS).status_code, preflight(AVATARS).status_code) == (429, 200)

    def test_a_preflight_of_another_origin_gets_no_cors_headers(self):
        answer = preflight(VIDEOS, origin="https://elsewhere.example.com")
        assert (cors_headers_of(answer), answer["Vary"]) == ({}, "origin")

    def test_an_options_request_without_a_method_to_ask_for_reaches_the_view(self, owner):
        answer = owner.client.options(VIDEOS, HTTP_ORIGIN=APP)
        assert (answer.status_code, answer["Allow"]) == (204, "GET, POST, HEAD, OPTIONS")
        assert is_readable_by(answer)

    def test_a_page_of_the_internet_is_not_let_into_a_private_network(self):
        answer = preflight(VIDEOS, **{"Access-Control-Request-Private-Network": "true"})
        assert answer["Access-Control-Allow-Origin"] == APP
        assert not answer.has_header("Access-Control-Allow-Private-Network")


# ── Origins


@pytest.mark.usefixtures("app_is_allowed")
class TestOrigins:
    def test_an_allowed_origin_may_read_the_answer_and_send_no_cookies(self, owner):
        answer = owner.client.get(AVATARS, HTTP_ORIGIN=APP)
        assert set(cors_headers_of(answer)) == {"Access-Control-Allow-Origin", "Access-Control-Expose-Headers"}
        assert is_readable_by(answer)

    @pytest.mark.parametrize(
        "origin",
        [
            "https://elsewhere.example.com",
            "https://app.example.com.evil.test",
            "https://evil.test/https://app.example.com",
            "https://sub.app.example.com",
            "https://app.example.com:8443",
            "http://app.example.com",
            "app.example.com",
            "null",
            "*",
            "https://[",
        ],
    )
    def test_an_answer_to_another_origin_allows_nothing(self, origin):
        assert cors_headers_of(JsonClient().get(AVATARS, HTTP_ORIGIN=origin)) == {}

    def test_every_answer_varies_by_origin_for_caches(self, owner):
        """A copy that was made for a request without `Origin` must not be given to a page."""
        assert [owner.client.get(AVATARS)["Vary"], owner.client.get(AVATARS, HTTP_ORIGIN=APP)["Vary"]] == ["origin"] * 2

    def test_an_answer_that_varies_by_accept_varies_by_origin_too(self, owner):
        answer = owner.client.get(f"{VIDEOS}/{make_video(owner).pk}/events", HTTP_ORIGIN=APP)
        assert answer["Vary"] == "Accept, origin"

    @pytest.mark.parametrize("path", ["/", "/healthz", "/admin/login/", "/webhooks/heygen/", "/nope", "/api/v2/videos"])
    def test_nothing_but_the_api_and_the_files_is_for_other_origins(self, path):
        assert cors_headers_of(Client().get(path, headers={"Origin": APP})) == {}
        assert cors_headers_of(preflight(path)) == {}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example.com", True),
        ("https://b-2.example.com", True),
        ("https://a.example.com.evil.test", False),
        ("https://a.example.com:8443", False),
        ("https://example.com", False),
        ("null", False),
    ],
)
def test_a_pattern_must_match_the_whole_origin(settings, origin, allowed):
    settings.CORS_ALLOWED_ORIGIN_REGEXES = [r"https://other\.test", r"https://[a-z0-9-]+\.example\.com"]
    assert is_readable_by(JsonClient().get(AVATARS, HTTP_ORIGIN=origin), origin) is allowed


@pytest.mark.parametrize(
    ("name", "value"), [("CORS_ALLOWED_ORIGINS", "*"), ("CORS_ALLOWED_ORIGIN_REGEXES", "https://[")]
)
def test_a_value_that_cannot_be_meant_stops_the_server_at_its_start(settings, name, value):
    setattr(settings, name, [value])
    with pytest.raises(ImproperlyConfigured, match=re.escape(f"{name}: {value!r} is not a")):
        JsonClient().get(AVATARS)


# ── Refusals


@pytest.mark.usefixtures("app_is_allowed")
class TestRefusals:
    def test_refusal_of_a_foreign_host_is_readable_by_an_allowed_origin(self):
        answer = JsonClient().get(AVATARS, HTTP_ORIGIN=APP, HTTP_HOST="elsewhere.example.com")
        assert (refusal_of(answer), is_readable_by(answer)) == ((400, "validation_error"), True)

    def test_refusal_of_a_foreign_host_is_readable_while_debugging(self, settings):
        settings.DEBUG = True
        answer = JsonClient().get(AVATARS, HTTP_ORIGIN=APP, HTTP_HOST="elsewhere.example.com")
        assert (refusal_of(answer), is_readable_by(answer)) == ((400, "validation_error"), True)

    def test_refusal_of_a_body_that_is_not_json_is_readable_by_an_allowed_origin(self):
        with nothing_changes():
            answer = JsonClient().generic("POST", REGISTER, b"{", "application/json", HTTP_ORIGIN=APP)
        assert (refusal_of(answer), is_readable_by(answer)) == ((400, "parse_error"), True)

    @pytest.mark.parametrize("token", ["", "nonsense"])
    def test_refusal_of_missing_or_bad_credentials_is_readable_by_an_allowed_origin(self, token):
        answer = JsonClient(token).get(VIDEOS, HTTP_ORIGIN=APP)
        assert (refusal_of(answer), is_readable_by(answer)) == ((401, "not_authenticated"), True)

    @pytest.mark.parametrize(
        "path", ["/api/v1/nope", "/api/v1/videos/", f"{VIDEOS}/{'0' * 8}-0000-0000-0000-{'0' * 12}"]
    )
    def test_a_404_is_readable_by_an_allowed_origin(self, owner, path):
        answer = owner.client.get(path, HTTP_ORIGIN=APP)
        assert (refusal_of(answer), is_readable_by(answer)) == ((404, "not_found"), True)

    def test_a_405_is_readable_by_an_allowed_origin(self, owner):
        answer = owner.client.delete(VIDEOS, HTTP_ORIGIN=APP)
        assert (refusal_of(answer), is_readable_by(answer)) == ((405, "method_not_allowed"), True)

    def test_a_413_is_readable_by_an_allowed_origin(self):
        body = b" " * (7 * 1024 * 1024)
        with nothing_changes():
            answer = JsonClient().generic("POST", REGISTER, body, "application/json", HTTP_ORIGIN=APP)
        assert (refusal_of(answer), is_readable_by(answer)) == ((413, "payload_too_large"), True)

    def test_a_429_is_readable_by_an_allowed_origin(self, settings):
        rate_limit_storage.memory().reset()
        settings.RATE_LIMITS, settings.RATE_LIMIT_ANONYMOUS = True, parse("1/minute")
        JsonClient().get(AVATARS)
        answer = JsonClient().get(AVATARS, HTTP_ORIGIN=APP)
        assert (refusal_of(answer), is_readable_by(answer)) == ((429, "rate_limited"), True)
        assert {"Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= set(answer.headers)

    @pytest.mark.parametrize("debug", [False, True])
    @pytest.mark.parametrize("path", ["/api/v1/broken", "/api/v1/broken-page"])
    def test_a_500_is_readable_by_an_allowed_origin(self, settings, path, debug):
        settings.ROOT_URLCONF, settings.DEBUG = "genvid.tests.broken_urls", debug
        answer = JsonClient(raise_request_exception=False).get(path, HTTP_ORIGIN=APP)
        assert (refusal_of(answer), is_readable_by(answer)) == ((500, "server_error"), True)

    def test_another_origin_reads_no_refusal(self):
        assert cors_headers_of(JsonClient().get(VIDEOS, HTTP_ORIGIN="https://elsewhere.example.com")) == {}


# ── Answers that are known already, and files


@pytest.fixture
def file_path(db) -> str:
    """The path of a file of ten bytes, with its signature."""
    link = signed_link(default_storage.save("videos/ten/video.mp4", ContentFile(b"0123456789")))
    return link[link.index("/media/") :]


def fetch(path: str, origin: str = APP, **headers: str):
    answer = Client().get(path, headers={"Origin": origin, **headers})
    answer.close()
    return answer


@pytest.mark.usefixtures("app_is_allowed")
class TestCopiesAndFiles:
    def test_an_answer_that_has_not_changed_carries_the_headers_too(self, owner):
        etag = owner.client.get(AVATARS, HTTP_ORIGIN=APP)["ETag"]
        answer = owner.client.get(AVATARS, HTTP_ORIGIN=APP, HTTP_IF_NONE_MATCH=etag)
        assert (answer.status_code, answer["ETag"], answer["Vary"]) == (304, etag, "origin")
        assert is_readable_by(answer)

    def test_the_way_to_a_file_carries_the_headers_too(self, owner):
        answer = owner.client.get(f"{VIDEOS}/{make_video(owner, 'completed').pk}/file", HTTP_ORIGIN=APP)
        assert (answer.status_code, is_readable_by(answer)) == (302, True)

    @pytest.mark.parametrize(("span", "status"), [("bytes=0-", 206), ("bytes=2-3", 206), ("bytes=10-", 416), ("", 200)])
    def test_a_file_and_its_parts_are_readable(self, file_path, span, status):
        answer = fetch(file_path, Range=span)
        assert (answer.status_code, answer["Vary"], is_readable_by(answer)) == (status, "origin", True)

    def test_a_link_that_is_forged_is_a_readable_404(self):
        answer = fetch("/media/forged/video.mp4")
        assert (answer.status_code, is_readable_by(answer)) == (404, True)

    def test_a_file_is_readable_after_a_redirect_from_another_origin(self, file_path):
        """Browsers send `Origin: null` then."""
        answer = fetch(file_path, origin="null")
        assert (answer.status_code, is_readable_by(answer, "null")) == (200, True)
        assert preflight(file_path, "GET", origin="null")["Access-Control-Allow-Origin"] == "null"

    def test_a_file_is_not_readable_by_another_origin(self, file_path):
        assert cors_headers_of(fetch(file_path, origin="https://elsewhere.example.com")) == {}


def test_without_origins_a_file_is_not_readable_after_a_redirect_either(file_path):
    assert cors_headers_of(fetch(file_path, origin="null")) == {}


# ── Under ASGI, in a real process


@pytest.fixture(scope="module")
def web(django_db_setup, tmp_path_factory):
    environment = {"CORS_ALLOWED_ORIGINS": APP, "LOG_LEVEL": "WARNING"}
    with WebProcess(tmp_path_factory.mktemp("web"), interface="asginl", threads=2, **environment) as process:
        yield process.start()


@pytest.fixture
def page(web, owner):
    """An HTTP client that sends the headers of a page of the allowed origin."""
    headers = {"Authorization": f"Bearer {owner.tokens.access_token}", "Origin": APP}
    with httpx.Client(base_url=web.url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestUnderASGI:
    def test_a_live_stream_is_readable_from_its_first_byte(self, page, owner):
        path = f"{VIDEOS}/{make_video(owner).pk}/events"
        with page.stream("GET", path, headers={"Accept": "text/event-stream"}) as answer:
            first = next(answer.iter_raw())
        assert (first.startswith(b"retry: 2000\n\n"), is_readable_by(answer.headers)) == (True, True)
        assert answer.headers["Vary"] == "Accept, origin"

    def test_an_answer_after_a_wait_is_readable(self, page, owner):
        answer = page.get(f"{VIDEOS}/{make_video(owner).pk}", headers={"Prefer": "wait=1"})
        assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=1")
        assert (is_readable_by(answer.headers), answer.headers["Vary"]) == (True, "origin")

    def test_refusals_of_a_stream_server_are_readable_by_an_allowed_origin(self, page):
        large = b" " * (7 * 1024 * 1024)
        refusals = [
            page.get("/api/v1/nope"),
            page.get(VIDEOS, headers={"Authorization": "Bearer nonsense"}),
            page.post(REGISTER, content=large, headers={"Content-Type": "application/json"}),
            page.get(AVATARS, headers={"Host": "elsewhere.example.com"}),
        ]
        assert [(answer.status_code, is_readable_by(answer.headers)) for answer in refusals] == [
            (404, True),
            (401, True),
            (413, True),
            (400, True),
        ]

    def test_a_preflight_is_answered_by_a_stream_server(self, page):
        answer = page.options(VIDEOS, headers={"Access-Control-Request-Method": "POST", "X-Request-Id": "abc"})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, APP)
        assert answer.headers["X-Request-Id"] == "abc"
