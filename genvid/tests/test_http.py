import gzip
import io
import socket
import threading
from collections.abc import Iterator

import pytest

from genvid import http
from genvid.http.http_client import _check_peer
from genvid.http.public_addresses import IPAddress, is_public, resolve
from genvid.tests.properties import given, st
from genvid.tests.scripted import ScriptedServer

FILE = bytes(range(256)) * 1000
PATIENCE = 120.0


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def get(server: ScriptedServer, timeout: float = PATIENCE, **options) -> http.Response:
    return http.send("GET", server.url + "/thing", timeout=timeout, allow_private=True, **options)


def fetch(server: ScriptedServer, sink: io.BytesIO, **options) -> http.Download:
    options = {"max_bytes": 10**6, "timeout": PATIENCE, "allowed_hosts": ["127.0.0.1"], "allow_private": True} | options
    return http.download(server.url + "/file.mp4", sink, **options)


def test_an_answer_has_status_headers_and_body(server):
    server.says(418, {"tea": "ü"}, headers={"X-Pot": "short"})
    answer = get(server)
    assert (answer.status, answer.headers["x-pot"], answer.json()) == (418, "short", {"tea": "ü"})


def test_a_request_has_our_user_agent_and_the_given_content(server):
    server.says()
    http.send("POST", server.url + "/a", timeout=PATIENCE, allow_private=True, params={"q": "1 2"}, json={"b": 1})
    sent = server.requests[0]
    assert (sent.method, sent.path, sent.query, sent.json) == ("POST", "/a", {"q": "1 2"}, {"b": 1})
    assert sent.headers["user-agent"] == "genvid"


def test_connections_are_reused(server):
    server.says(body=b"one")
    server.says(body=b"two")
    assert [get(server).body, get(server).body] == [b"one", b"two"]
    assert server.connections == 1


def test_another_thread_has_its_own_connection(server):
    server.says()
    server.says()
    get(server)
    other = threading.Thread(target=get, args=[server])
    other.start()
    other.join()
    assert server.connections == 2


def test_cookies_are_not_kept(server):
    server.says(headers={"Set-Cookie": "a=b"})
    server.says()
    get(server)
    get(server)
    assert "cookie" not in server.requests[1].headers


def test_proxies_of_the_environment_are_ignored(server, monkeypatch, closed_url):
    monkeypatch.setenv("http_proxy", closed_url)
    server.says(body=b"direct")
    assert get(server).body == b"direct"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_not_followed(server, status):
    server.says(status, headers={"Location": server.url + "/elsewhere"})
    with pytest.raises(http.Redirected) as caught:
        get(server)
    assert (caught.value.status, caught.value.location) == (status, server.url + "/elsewhere")
    assert len(server.requests) == 1


def test_an_answer_of_exactly_the_limit_is_read(server):
    server.says(body=b"x" * 100_000)
    assert len(get(server, max_bytes=100_000).body) == 100_000


def test_an_answer_over_the_limit_is_too_large(server):
    server.says(body=b"x" * 100_001)
    with pytest.raises(http.TooLarge):
        get(server, max_bytes=100_000)


def test_a_compressed_answer_is_unpacked(server):
    server.says(body=gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"})
    assert get(server).body == b"hello"


def test_a_compressed_bomb_is_too_large(server):
    server.says(body=gzip.compress(bytes(50 * 1024 * 1024)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(http.TooLarge):
        get(server, max_bytes=1024 * 1024)


def test_a_refused_connection_has_sent_nothing(closed_url):
    with pytest.raises(http.Unreachable) as caught:
        http.send("POST", closed_url, timeout=PATIENCE, allow_private=True)
    assert caught.value.sent is False


def test_a_connection_that_breaks_may_have_sent_everything(server):
    server.says(hang_up=True)
    with pytest.raises(http.Unreachable) as caught:
        get(server)
    assert caught.value.sent is True


def test_a_slow_answer_is_a_timeout(server):
    server.says(delay=60)
    with pytest.raises(http.Timeout) as caught:
        get(server, timeout=3)
    assert caught.value.sent is True


def test_a_dripping_answer_cannot_outstay_the_deadline(server):
    server.says(body=b"x" * 2000, drip=0.05)
    with pytest.raises(http.Timeout):
        get(server, timeout=3)


def test_an_answer_shorter_than_announced_is_truncated(server):
    server.says(body=b"half", headers={"Content-Length": "8"})
    with pytest.raises(http.Truncated):
        get(server)


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1/", "http://[::1"])
def test_an_impossible_request_is_not_sent(url):
    with pytest.raises(http.Unreachable) as caught:
        http.send("GET", url, timeout=1, allow_private=True)
    assert caught.value.sent is False


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"[1e999]", b"[Infinity]", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_a_value_error(body):
    with pytest.raises(ValueError):
        http.parse_json(body)


def test_a_download_copies_and_measures(server):
    server.says(body=FILE, headers={"Content-Type": "video/mp4; x=y", "ETag": '"v1"'})
    sink = io.BytesIO()
    assert fetch(server, sink) == http.Download(len(FILE), "video/mp4", '"v1"')
    assert sink.getvalue() == FILE


def test_a_download_asks_for_the_bytes_as_they_are(server):
    server.says(body=FILE)
    fetch(server, io.BytesIO())
    headers = server.requests[0].headers
    assert headers["accept-encoding"] == "identity"
    assert "x-api-key" not in headers


def test_a_download_resumes_where_it_stopped(server):
    rest = {"Content-Range": f"bytes 1000-{len(FILE) - 1}/{len(FILE)}"}
    server.says(206, FILE[1000:], headers=rest)
    sink = io.BytesIO()
    done = fetch(server, sink, start=1000, etag='"v1"')
    assert (done.bytes, sink.getvalue()) == (len(FILE), FILE[1000:])
    asked = server.requests[0].headers
    assert (asked["range"], asked["if-range"]) == ("bytes=1000-", '"v1"')


@pytest.mark.parametrize(
    ("status", "content_range"), [(200, ""), (416, "bytes */5"), (206, ""), (206, "bytes 999-1000/1001")]
)
def test_a_resumption_that_is_not_honoured_starts_again(server, status, content_range):
    server.says(status, b"xx", headers={"Content-Range": content_range})
    sink = io.BytesIO()
    with pytest.raises(http.RangeRefused):
        fetch(server, sink, start=1000)
    assert sink.getvalue() == b""


@pytest.mark.parametrize("mark", ['"v1"', 'W/"v1"'])
def test_a_part_of_another_file_is_not_taken(server, mark):
    server.says(206, b"xx", headers={"Content-Range": "bytes 1000-1001/1002", "ETag": '"v2"'})
    sink = io.BytesIO()
    with pytest.raises(http.RangeRefused):
        fetch(server, sink, start=1000, etag=mark)
    assert sink.getvalue() == b""


@pytest.mark.parametrize("status", [204, 206, 403, 404, 500])
def test_a_download_of_something_else_says_its_status(server, status):
    server.says(status)
    with pytest.raises(http.BadStatus) as caught:
        fetch(server, io.BytesIO())
    assert caught.value.status == status


def test_a_file_announced_too_large_is_not_read(server):
    server.says(body=FILE)
    sink = io.BytesIO()
    with pytest.raises(http.TooLarge):
        fetch(server, sink, max_bytes=len(FILE) - 1)
    assert sink.getvalue() == b""


def test_a_file_that_turns_out_too_large_is_stopped(server):
    chunked = b"10000\r\n" + bytes(0x10000) + b"\r\n10000\r\n" + bytes(0x10000) + b"\r\n0\r\n\r\n"
    server.says(body=chunked, headers={"Transfer-Encoding": "chunked"})
    sink = io.BytesIO()
    with pytest.raises(http.TooLarge):
        fetch(server, sink, max_bytes=0x10000)
    assert len(sink.getvalue()) <= 0x10000


def test_a_chunked_file_is_whole_with_its_last_chunk(server):
    server.says(body=b"5\r\nhello\r\n0\r\n\r\n", headers={"Transfer-Encoding": "chunked"})
    assert fetch(server, io.BytesIO()).bytes == 5


def test_a_chunked_file_without_its_last_chunk_is_truncated(server):
    server.says(body=b"5\r\nhello\r\n", headers={"Transfer-Encoding": "chunked", "Connection": "close"})
    with pytest.raises(http.Truncated):
        fetch(server, io.BytesIO())


def test_a_truncated_file_leaves_the_good_part(server):
    server.says(body=FILE[:1000], headers={"Content-Length": str(len(FILE))})
    sink = io.BytesIO()
    with pytest.raises(http.Truncated):
        fetch(server, sink)
    assert sink.getvalue() == FILE[:1000]


def test_a_file_of_another_type_is_refused(server):
    server.says(body=b"<html>", headers={"Content-Type": "text/html"})
    with pytest.raises(http.WrongType):
        fetch(server, io.BytesIO(), expected_types=["video/", "application/octet-stream"])


def test_an_encoded_file_is_refused(server):
    server.says(body=b"x", headers={"Content-Encoding": "gzip"})
    with pytest.raises(http.WrongType):
        fetch(server, io.BytesIO())


def test_a_dripping_download_ends_at_its_deadline(server):
    server.says(body=b"x" * 2000, drip=0.05)
    with pytest.raises(http.Timeout):
        fetch(server, io.BytesIO(), timeout=3)


def test_a_full_disk_is_not_taken_for_a_network_problem(server):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    server.says(body=FILE)
    with pytest.raises(OSError, match="No space left"):
        fetch(server, Full())


@pytest.mark.parametrize("allowed", [[], [".heygen.ai"], ["127.0.0.2"], ["27.0.0.1"]])
def test_a_download_from_a_host_not_allowed_is_never_asked_for(server, allowed):
    with pytest.raises(http.ForbiddenAddress):
        fetch(server, io.BytesIO(), allowed_hosts=allowed)
    assert server.requests == []


@pytest.mark.parametrize("host", ["files.heygen.ai", "heygen.ai", "FILES2.HeyGen.AI", "files.heygen.com"])
def test_a_suffix_allows_the_domain_and_what_is_below(host):
    http.downloads.check_host(f"https://{host}/x.mp4", [".heygen.ai", "files.heygen.com"])


@pytest.mark.parametrize("host", ["evilheygen.ai", "heygen.ai.evil.com", "x.files.heygen.com", "user@files.heygen.com"])
def test_a_host_that_only_looks_allowed_is_not(host):
    with pytest.raises(http.ForbiddenAddress):
        http.downloads.check_host(f"https://{host}/x.mp4", [".heygen.ai", "files.heygen.com"])


def test_a_private_address_is_not_called_unless_allowed(server):
    with pytest.raises(http.ForbiddenAddress):
        http.send("GET", server.url, timeout=PATIENCE, allow_private=False)
    assert server.requests == []


def test_a_name_that_turns_private_after_the_check_is_caught_at_the_connection(server):
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":")[-1]))) as connected:
        with pytest.raises(http.ForbiddenAddress):
            _check_peer(connected)
        assert connected.fileno() == -1


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.0.2.1", "198.18.0.1",
        "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[::127.0.0.1]",
        "[::ffff:127.0.0.1]", "[::ffff:a00:1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001::1]",
        "[fe80::1%25eth0]", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "127.0.0.1.", "127.0.0.01",
        "localhost", "a.localhost", "localhost.", "metadata.google.internal", "printer.local", "",
        "ex ample.com", "exa\tmple.com", "example.com\\@127.0.0.1", "①②⑦.0.0.1", "%31%32%37.0.0.1", "user@1.1.1.1",
        "1.1.1.1:22", "1.1.1.1:0", "1.1.1.1:99999", "1.1.1.1:x", "[1.1.1.1]", "-a.com", "a..b",
    ],
)  # fmt: skip
def test_a_host_that_is_or_hides_a_private_address_is_forbidden(host):
    with pytest.raises(http.ForbiddenAddress) as caught:
        http.check_public_url(f"http://{host}/image.png")
    assert caught.value.temporary is False


@pytest.mark.parametrize(
    "url", ["", "//1.1.1.1/", "file:///etc/passwd", "gopher://1.1.1.1/", "http:1.1.1.1", "x" * 3000]
)
def test_anything_but_http_is_forbidden(url):
    with pytest.raises(http.ForbiddenAddress):
        http.check_public_url(url)


@pytest.mark.parametrize(
    "host", ["1.1.1.1", "1.1.1.1:443", "8.8.8.8:8080", "[2606:4700::1111]", "[64:ff9b::101:101]", "[::ffff:1.1.1.1]"]
)
def test_a_public_address_passes(host):
    http.check_public_url(f"https://{host}/a/ü?b=c")


def resolving_to(monkeypatch, *addresses: str) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)


def test_a_name_with_only_public_addresses_passes(monkeypatch):
    resolving_to(monkeypatch, "1.1.1.1", "2606:4700::1111")
    http.check_public_url("https://example.com/a.png")


def test_a_name_with_one_private_address_among_others_is_forbidden(monkeypatch):
    resolving_to(monkeypatch, "1.1.1.1", "10.0.0.1")
    with pytest.raises(http.ForbiddenAddress):
        http.check_public_url("https://example.com/a.png")


@pytest.mark.parametrize(("number", "temporary"), [(socket.EAI_NONAME, False), (socket.EAI_AGAIN, True)])
def test_a_name_that_is_not_found_says_whether_that_may_pass(monkeypatch, number, temporary):
    def fail(*_, **__):
        raise socket.gaierror(number, "no")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(http.ForbiddenAddress) as caught:
        http.check_public_url("https://example.com/")
    assert caught.value.temporary is temporary


def test_a_name_server_that_hangs_is_not_waited_for(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(60) and [])
    with pytest.raises(http.ForbiddenAddress) as caught:
        resolve("example.com", timeout=0.05)
    release.set()
    assert caught.value.temporary is True


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_a_public_address_is_global_and_unicast(address: IPAddress):
    if is_public(address):
        assert address.is_global or address.ipv4_mapped or address in http.public_addresses.NAT64
        assert not (address.is_multicast or address.is_loopback or address.is_link_local or address.is_unspecified)


@given(st.text(max_size=60))
def test_any_text_is_a_permitted_or_forbidden_url(text: str):
    try:
        http.downloads.check_host("http://" + text, [".heygen.ai"])
    except http.ForbiddenAddress as error:
        assert error.reason
