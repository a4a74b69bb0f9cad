"""docs/ops/nginx.conf and docs/ops/Caddyfile, whole, with the real nginx and Caddy where they are installed."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from genvid.tests.proxies import FILE, HOST, OPS, Proxy, echo
from genvid.tests.tools import first_of

VIDEO = "/api/v1/videos/0b3f0c7e-0000-4000-8000-000000000000"
MEBIBYTE = 1024**2
PATIENCE_SECONDS = 120


@pytest.fixture(params=["nginx", "caddy"], scope="module")
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """With both `web`: A and B."""
    with running(request.param, tmp_path_factory.mktemp(request.param)) as started:
        yield started


def running(name: str, folder: Path, *, first_web: int | None = None) -> ExitStack:
    first_of(name)
    (folder / "media").mkdir()
    (folder / "media" / "video.mp4").write_bytes(FILE)
    hands_over = name == "nginx"
    with ExitStack() as stack:
        ports = {
            8000: first_web or stack.enter_context(echo("A", hands_over=hands_over)),
            8001: stack.enter_context(echo("B", hands_over=hands_over)),
            8010: stack.enter_context(echo("stream", hands_over=hands_over)),
        }
        proxy = stack.enter_context(Proxy(name, folder, ports)).start()
        return Running(proxy, stack.pop_all())


class Running:
    def __init__(self, proxy: Proxy, stack: ExitStack) -> None:
        self.proxy, self.stack = proxy, stack

    def __enter__(self) -> Proxy:
        return self.proxy

    def __exit__(self, *error: object) -> None:
        self.stack.close()


def test_host_and_address_are_the_proxys_word_and_not_the_clients(proxy):
    forged = {"X_Forwarded_For": "6.6.6.6", "X_Forwarded_Proto": "gopher", "X_Forwarded_Host": "evil.example.com"}
    headers = proxy.ask("GET", "/api/v1/plans", **forged).told["headers"]
    assert (headers["Host"], headers["X-Forwarded-For"]) == (HOST, "127.0.0.1")
    # Caddy speaks plain http here.
    assert headers["X-Forwarded-Proto"] == ("https" if proxy.name == "nginx" else "http")
    assert headers.get("X-Forwarded-Host", HOST) == HOST


def test_both_web_servers_are_used(proxy):
    answered: set[str] = set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while answered != {"A", "B"} and time.monotonic() < deadline:
        answered.add(proxy.ask("GET", "/api/v1/plans").told["by"])
    assert answered == {"A", "B"}


def test_a_web_server_that_is_down_costs_no_request(request, tmp_path, closed_url, proxy):
    with running(proxy.name, tmp_path, first_web=int(closed_url.rsplit(":", 1)[1])) as alone:
        answers = [alone.ask("POST", "/api/v1/videos", body=b"{}") for _ in range(10)]
    assert [(answer.status, answer.told["by"]) for answer in answers] == [(200, "B")] * 10


@pytest.mark.parametrize(
    ("path", "headers", "by_stream"),
    [
        (f"{VIDEO}/events", {"Accept": "text/event-stream"}, True),
        (VIDEO, {"Prefer": "wait=30"}, True),
        (VIDEO, {}, False),
        (f"{VIDEO}/events", {"Accept": "application/json"}, False),
        ("/api/v1/videos", {}, False),
    ],
)
def test_streams_and_waits_alone_go_to_stream(proxy, path, headers, by_stream):
    assert (proxy.ask("GET", path, **headers).told["by"] == "stream") is by_stream


def test_bodies_end_at_five_mebibytes(proxy):
    assert proxy.ask("POST", "/api/v1/videos", body=bytes(5 * MEBIBYTE)).told["length"] == 5 * MEBIBYTE
    assert proxy.ask("POST", "/api/v1/videos", body=bytes(5 * MEBIBYTE + 1)).status == 413


def test_staffs_uploads_may_be_longer(proxy):
    answer = proxy.ask("POST", "/admin/videos/video/1/complete/", body=bytes(6 * MEBIBYTE))
    assert answer.told["length"] == 6 * MEBIBYTE


def test_uploads_of_customers_may_have_twenty_mebibytes_and_their_form(proxy):
    assert proxy.ask("POST", "/api/v1/uploads", body=bytes(20 * MEBIBYTE + 1000)).told["length"] == 20 * MEBIBYTE + 1000
    assert proxy.ask("POST", "/api/v1/uploads", body=bytes(21 * MEBIBYTE + 1)).status == 413


def test_a_body_in_chunks_comes_to_web_with_its_length_or_to_stream(proxy):
    told = proxy.ask("POST", "/api/v1/videos", body=iter([b"a" * 10, b"b" * 20])).told
    if proxy.name == "caddy":
        assert told["by"] == "stream"
    else:
        assert (told["headers"].get("Content-Length"), told["headers"].get("Transfer-Encoding")) == ("30", None)


def test_files_come_from_nginx_or_from_stream(proxy):
    answer = proxy.ask("GET", "/media/token/video.mp4")
    if proxy.name == "caddy":
        assert answer.told["by"] == "stream"
        return
    assert answer.body == FILE
    kept = [answer.headers[name] for name in ("Content-Type", "Cache-Control", "X-Request-Id", "X-Accel-Redirect")]
    assert kept == ["video/mp4", "private, max-age=60", "request-1", None]


def test_the_folder_of_files_is_not_open(proxy):
    if proxy.name == "caddy":
        pytest.skip("Caddy knows no X-Accel-Redirect: its file names no such folder")
    assert proxy.ask("GET", "/protected-media/video.mp4").status == 404


def test_no_link_is_written_into_the_log(proxy):
    proxy.ask("GET", "/media/secret-token/video.mp4?next=1")
    proxy.ask("GET", "/?reset=secret-token")
    proxy.stop()
    logged = proxy.access_log.read_text()
    assert ("/media/[cut]/" in logged or "/[cut]/" in logged, "secret-token" in logged) == (True, False)
    proxy.start()


def test_plain_http_is_sent_to_https(proxy):
    if proxy.name == "caddy":
        pytest.skip("Caddy does it itself for a name of the internet; here it serves one on loopback")
    answer = proxy.ask_plainly("/a?b=c")
    assert (answer.status, answer.headers["Location"]) == (308, f"https://{HOST}/a?b=c")


@pytest.mark.parametrize(
    ("name", "option", "reads"), [("nginx.conf", "--nginx", "include"), ("Caddyfile", "--caddy", "import")]
)
def test_the_proxy_reads_the_file_that_the_upgrade_writes(name, option, reads):
    """Servers that stand anywhere else would get requests while they are replaced."""
    text, production = (OPS / name).read_text(), (OPS.parent / "production.md").read_text()
    (written,) = set(re.findall(rf"scripts/upgrade\.sh.*{option} (/[\w/.]+\w)", production + text))
    lines = [line.strip() for line in text.splitlines() if not line.strip().startswith("#")]
    assert [line.rstrip(";") for line in lines if written in line] == [f"{reads} {written}"]
    assert [line for line in lines if re.search(r"127\.0\.0\.1:800\d", line)] == []


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_both_files_name_all_upstreams_and_ask_for_web_alone(name):
    text = (OPS / name).read_text()
    assert all(f"127.0.0.1:{port}" in text for port in (8000, 8001, 8010))
    assert ("/readyz?parts=web" in text) is (name == "Caddyfile"), "nginx has no active checks without its paid edition"
