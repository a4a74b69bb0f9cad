import io
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_errors import HeyGenError, LinkExpired, OperatorProblem, Refused, Unknown
from genvid.tests.heygen_gateway import client_of
from genvid.tests.scripted import ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> HeyGenClient:
    return client_of(server)


def fetch(client: HeyGenClient, url: str, **options):
    return client.download_media(url, io.BytesIO(), **({"max_bytes": 1000, "timeout": 120.0} | options))


def test_a_file_of_heygen_is_downloaded_without_our_key(server, client):
    server.says(200, b"film", headers={"Content-Type": "video/mp4"})
    assert fetch(client, server.url + "/v.mp4?Signature=x").bytes == 4
    assert "x-api-key" not in server.requests[0].headers


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_link_that_no_longer_works_has_expired(server, client, status):
    server.says(status)
    with pytest.raises(LinkExpired) as caught:
        fetch(client, server.url)
    assert (caught.value.retryable, caught.value.status) == (True, status)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ({"status": 500}, Unknown, "http_500"),
        ({"status": 302}, Unknown, "redirected"),
        ({"body": b"x" * 1001}, Refused, "media_too_large"),
        ({"body": b"x", "headers": {"Content-Length": "5"}}, Unknown, "truncated"),
        ({"body": b"x", "headers": {"Content-Type": "text/html"}}, Unknown, "wrongtype"),
    ],
)
def test_a_file_that_does_not_come_says_why(server, client, answer, kind, code):
    server.says(**answer)
    with pytest.raises(HeyGenError) as caught:
        fetch(client, server.url, expected_types=["video/"] if code == "wrongtype" else None)
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_a_file_on_an_unknown_host_is_an_operator_problem(server):
    with pytest.raises(OperatorProblem) as caught:
        fetch(client_of(server, media_hosts=[".heygen.ai"]), server.url)
    assert caught.value.code == "media_host_not_allowed"
    assert server.requests == []


def test_a_signed_link_is_never_logged(server, client):
    server.says(403)
    with capture_logs() as logs, pytest.raises(LinkExpired) as caught:
        fetch(client, server.url + "/v.mp4?Signature=secret")
    assert "secret" not in f"{logs} {caught.value}"
