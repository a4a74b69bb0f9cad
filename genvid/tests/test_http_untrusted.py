"""POSTs to untrusted addresses: one look-up, a connection to a checked address only, one deadline."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from genvid import http
from genvid.http.untrusted import post
from genvid.tests.scripted import ScriptedServer

DROPS = 2000


@pytest.fixture
def server():
    with ScriptedServer() as server:
        yield server


def send(url: str, *, seconds: float = 120.0, allow_private: bool = True) -> http.Reply:
    return post(url, b"{}", headers={"X-Note": "hi"}, seconds=seconds, allow_private=allow_private, keep_bytes=10)


def drops(line: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in line]


@contextmanager
def raw_server(*pieces: bytes, pause: float) -> Iterator[str]:
    """Sends piece after piece whatever it is asked, with a pause before each."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            try:
                for piece in pieces:
                    time.sleep(pause)
                    connection.sendall(piece)
            except OSError:
                pass  # the caller hung up, as it should
            finally:
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_any_status_is_a_reply_with_the_beginning_of_its_body(server):
    server.says(503, b"too much is going on")
    assert send(f"{server.url}/hook?a=1") == http.Reply(503, b"too much i")
    (request,) = server.requests
    assert (request.method, request.path, request.query, request.body) == ("POST", "/hook", {"a": "1"}, b"{}")
    assert (request.headers["x-note"], request.headers["connection"]) == ("hi", "close")


def test_each_request_has_a_connection_of_its_own(server):
    server.says(200)
    server.says(200)
    send(server.url)
    send(server.url)
    assert server.connections == 2


def test_a_redirect_is_a_reply_like_any_other(server):
    server.says(302, headers={"Location": server.url})
    assert send(server.url).status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 OK\r\n" + b"X-Drip: " + b"x" * DROPS, b"HTTP/1.1 200 " + b"O" * DROPS])
def test_a_head_that_drips_is_cut_off(line):
    """Each byte comes in time; only all together they would take minutes, and end in another error."""
    with raw_server(*drops(line), pause=0.05) as place, pytest.raises(http.Timeout):
        send(f"http://{place}/", seconds=3)


def test_a_handshake_that_drips_is_cut_off():
    a_long_record = b"\x16\x03\x03\x40\x00"
    with raw_server(a_long_record, *drops(b"\x02" * DROPS), pause=0.05) as place, pytest.raises(http.Timeout):
        send(f"https://{place}/", seconds=3)


def test_a_status_counts_even_if_its_body_never_ends(server):
    server.says(200, b"x" * DROPS, drip=0.1)
    assert send(server.url).status == 200


def test_an_interim_answer_is_not_the_answer():
    with raw_server(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n", pause=0) as place:
        assert send(f"http://{place}/").status == 204


@pytest.mark.parametrize("url", ["http://93.184.216.34/", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/"])
def test_without_private_addresses_only_public_https_is_called(url):
    with pytest.raises(http.ForbiddenAddress):
        send(url, allow_private=False)


@pytest.mark.parametrize("found", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "224.0.0.1", "::"])
def test_a_name_that_leads_where_no_receiver_is_is_not_called_in_private_either(monkeypatch, found):
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, 0))]
    )
    with pytest.raises(http.ForbiddenAddress):
        send("http://metadata.example.com/")


@pytest.mark.parametrize("found", [["127.0.0.1", "169.254.169.254"], ["fe80::1", "10.0.0.1"]])
def test_one_forbidden_address_among_others_forbids_the_name(monkeypatch, found):
    called: list[object] = []
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
    monkeypatch.setattr(socket, "create_connection", lambda address, **_: called.append(address))
    with pytest.raises(http.ForbiddenAddress):
        send("http://metadata.example.com/")
    assert called == []


def test_the_name_is_looked_up_once_and_what_was_checked_is_what_is_called(monkeypatch):
    """The second answer of a rebinding name server is never asked for."""
    answers, called = iter(["93.184.216.34", "127.0.0.1"]), []

    def getaddrinfo(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 0))]

    def create_connection(address: tuple[str, int], **_: object) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    with pytest.raises(http.Unreachable):
        send("https://rebinding.example.com/", allow_private=False)
    assert called == [("93.184.216.34", 443)]


def test_a_name_server_that_hangs_is_not_waited_for(monkeypatch):
    release, answers = threading.Event(), []

    def getaddrinfo(*_: object, **__: object) -> list[object]:
        release.wait(120)
        answers.append("late")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(http.ForbiddenAddress):
        send("https://slow.example.com/", seconds=0.2, allow_private=False)
    assert answers == []
    release.set()


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout key.pem -out cert.pem"
    subprocess.run(words.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with ScriptedServer() as server:
        server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
        with pytest.raises(http.Unreachable, match="SSLError"):
            send(server.url.replace("http:", "https:"))
        assert server.requests == []
