"""Input that breaks servers before any view runs: charsets, broken text, odd methods, debug pages."""

import asyncio
import io
import json
from typing import Any

import pytest
from django.http import UnreadablePostError

from genvid.api.exceptions import describe
from genvid.api.parsers import StrictJSONParser
from genvid.api.requests import Utf8ASGIRequest
from genvid.asgi import Handler, limit_body
from genvid.errors import MalformedBody
from genvid.tests.asserts import nothing_changes, refusal_of, wrong_fields_of
from genvid.wsgi import application

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024
FOREIGN = ["utf-16", "latin-1", "utf-7", "hex", "rot13", "idna", "punycode", "undefined", "nope", "'utf-8'"]
UNREADABLE = ["; charset*=nope''x", "; charset*=x\x00''y"]


def served(path: str, query: str, content_type: str) -> tuple[str, Any]:
    """Through the entry point itself: the test client makes its requests without it."""
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
    }
    said: list[str] = []
    answer = application(environ, lambda status, headers: said.append(status))
    return said[0], json.loads(b"".join(answer))["error"]["code"]


@pytest.mark.parametrize("charset", [*FOREIGN, "\x00"], ids=ascii)
def test_no_charset_breaks_the_reading_of_a_query(charset):
    answer = served("/api/v1/nope", "search=a%ff", f"application/json; charset={charset}")
    assert answer == ("404 Not Found", "not_found")


@pytest.mark.parametrize("parameter", UNREADABLE, ids=ascii)
def test_a_malformed_content_type_is_ignored(parameter):
    assert served("/api/v1/nope", "", "application/json" + parameter) == ("404 Not Found", "not_found")


@pytest.mark.parametrize("charset", FOREIGN)
def test_a_stream_server_reads_utf_8_too(charset):
    headers = [(b"content-type", f"application/json; charset={charset}".encode())]
    scope = {"method": "GET", "path": "/", "query_string": b"search=%C3%A9", "headers": headers}
    assert Utf8ASGIRequest(scope, io.BytesIO()).GET == {"search": ["é"]}


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "utf-7", "nope"])
@pytest.mark.parametrize("path", ["auth/register", "videos", "batches"])
def test_a_body_in_another_charset_is_a_415(owner, path, charset):
    kind = f"application/json; charset={charset}"
    with nothing_changes():
        response = owner.client.generic("POST", f"/api/v1/{path}", b"{}", content_type=kind)
    assert refusal_of(response) == (415, "unsupported_media_type")


@pytest.mark.parametrize("charset", ["UTF-8", "utf8", '"utf-8"'])
def test_several_spellings_of_utf_8_are_accepted(anonymous, charset):
    kind = f"application/json; charset={charset}"
    response = anonymous.generic("POST", "/api/v1/auth/register", b"{}", content_type=kind)
    assert wrong_fields_of(response) == ["email", "password"]


@pytest.mark.parametrize("value", ["%ff", "%ed%a0%80", "%c0%af", "a%80b"])
def test_a_query_that_is_not_utf_8_is_refused(owner, value):
    assert wrong_fields_of(owner.client.get(f"/api/v1/videos?search={value}")) == ["search"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [("videos", "GET, POST, HEAD, OPTIONS"), ("profile", "GET, PATCH, DELETE, HEAD, OPTIONS")],
)
def test_options_says_which_methods_there_are(owner, path, methods):
    response = owner.client.options(f"/api/v1/{path}")
    assert (response.status_code, response.content, response["Allow"]) == (204, b"", methods)


@pytest.mark.parametrize("page", ["docs/", "redoc/", "schema/"])
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "DELETE", "TRACE"])
def test_a_page_refuses_other_methods_in_the_envelope(anonymous, page, method):
    response = anonymous.generic(method, f"/api/v1/{page}")
    assert refusal_of(response) == (405, "method_not_allowed")
    assert "GET" in response["Allow"]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("host", ["elsewhere.example", "a b", "[::1", "", "user@testserver", "testserver:1:2"])
@pytest.mark.parametrize("path", ["videos", "nope", "docs/"])
def test_a_host_that_is_not_ours_is_the_envelope_also_while_debugging(anonymous, settings, path, host, debug):
    settings.DEBUG = debug
    assert refusal_of(anonymous.get(f"/api/v1/{path}", HTTP_HOST=host)) == (400, "validation_error")


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/api%00", "/webhooks/a%0Ab", "/api/v1//videos", "/api/v1/%25ff", "/api/v1/../x"])
def test_a_broken_path_is_a_404_also_while_debugging(anonymous, settings, path, debug):
    settings.DEBUG = debug
    assert refusal_of(anonymous.get(path)) == (404, "not_found")


def test_too_many_parameters_are_a_400_also_while_debugging(owner, settings):
    settings.DEBUG = True
    query = "&".join(f"a{number}=1" for number in range(1001))
    assert refusal_of(owner.client.get(f"/api/v1/videos?{query}")) == (400, "validation_error")


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_body_shorter_than_announced_is_not_read(rf, body):
    request = rf.post("/", CONTENT_LENGTH="50")
    with pytest.raises(MalformedBody):
        StrictJSONParser().parse(io.BytesIO(body), parser_context={"request": request})


@pytest.mark.parametrize("length", [{}, {"CONTENT_LENGTH": ""}], ids=["none", "an empty one"])
def test_a_body_in_chunks_does_not_pass_for_an_empty_one(owner, length):
    with nothing_changes():
        response = owner.client.generic("POST", "/api/v1/profile/export", HTTP_TRANSFER_ENCODING="chunked", **length)
    assert refusal_of(response) == (400, "parse_error")


async def _received(pieces: int) -> int:
    """Bytes in memory after a body of so many MiB."""
    coming = [{"type": "http.request", "body": bytes(MIB), "more_body": left > 1} for left in range(pieces, 0, -1)]

    async def receive() -> dict[str, Any]:
        return coming.pop(0)

    with await Handler().read_body(limit_body(6 * MIB + 1, receive)) as body:
        assert coming == []
        return len(body.read())


@pytest.mark.parametrize(("sent", "kept"), [(1, MIB), (6, 6 * MIB), (7, 6 * MIB + 1), (50, 6 * MIB + 1)])
def test_an_endless_body_fills_no_disk(sent, kept):
    assert asyncio.run(_received(sent)) == kept


def test_a_body_that_ends_early_is_no_error_of_ours():
    status, error, _ = describe(UnreadablePostError())
    assert (status, error["code"], error["retryable"]) == (400, "parse_error", False)
