"""Clients that do not read, or send slowly, delay no others and are disconnected. Over real sockets."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from genvid import slow_clients
from genvid.media_links import signed_link
from genvid.slow_clients import ClientStalled, Connections, TimedBody, timed_send
from genvid.tests.processes import WebProcess, answers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SIZE = 30 * 1024 * 1024
CROWD = 8
LONG = 120.0
"""Seconds after which a socket's test has failed."""
LOGIN = "POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json"
HEAD = LOGIN + "\r\nContent-Length: {}\r\n\r\n"


@pytest.fixture(scope="module")
def web(django_db_setup, tmp_path_factory) -> Iterator[WebProcess]:
    """The server of `make run` with two threads and a patience of three seconds."""
    with WebProcess(tmp_path_factory.mktemp("web"), interface="asginl", threads=2, CLIENT_STALL_SECONDS="3") as process:
        yield process.start()


@pytest.fixture(scope="module")
def patient_web(django_db_setup, tmp_path_factory) -> Iterator[WebProcess]:
    """A server with two threads and a patience of an hour."""
    with WebProcess(
        tmp_path_factory.mktemp("web"), interface="asginl", threads=2, CLIENT_STALL_SECONDS="3600"
    ) as process:
        yield process.start()


@pytest.fixture
def download() -> str:
    """A request for a file that no system's buffers hold."""
    name = default_storage.save("videos/slow/video.mp4", ContentFile(b"0" * SIZE))
    return f"GET {urlsplit(signed_link(name)).path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def connect(web: WebProcess, request: str, *, buffer: int = 4096) -> socket.socket:
    """A connection that has asked and takes little into its own system's buffer."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(LONG)
    connection.connect(("127.0.0.1", web.port))
    connection.sendall(request.encode())
    return connection


def read_all(connection: socket.socket) -> int:
    """How many bytes come until the server closes. TimeoutError when it never does."""
    received = 0
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += len(piece)
    return received


def test_others_are_answered_while_many_do_not_read_a_film(patient_web, download):
    with ExitStack() as stack:
        for _ in range(CROWD):
            reader = stack.enter_context(closing(connect(patient_web, download)))
            assert reader.recv(12) == b"HTTP/1.1 200"
        assert answers(f"{patient_web.url}/healthz", seconds=LONG)


def test_others_are_answered_while_many_hardly_send_a_body(patient_web):
    with ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(closing(connect(patient_web, HEAD.format(1000) + "{")))
        assert answers(f"{patient_web.url}/healthz", seconds=LONG)


def test_a_client_that_takes_no_byte_is_disconnected(web, download):
    with closing(connect(web, download)) as reader:
        web.wait(lambda: "stalled_client_dropped" in web.output(), seconds=LONG)
        assert read_all(reader) < SIZE


def test_a_client_that_reads_gets_the_whole_file(web, download):
    with closing(connect(web, download.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))) as reader:
        assert read_all(reader) > SIZE


def test_a_client_that_sends_its_body_too_slowly_gets_a_408_and_is_disconnected(web):
    with closing(connect(web, HEAD.format(1000) + "{")) as sender:
        answer = b""
        while piece := sender.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert b'"code":"request_timeout"' in body


def test_a_body_that_comes_piece_by_piece_is_read(patient_web):
    body = '{"email": "nobody@example.com", "password": "wrong"}' + " " * 5000
    with closing(connect(patient_web, HEAD.format(len(body)))) as sender:
        for start in range(0, len(body), 1000):
            sender.sendall(body[start : start + 1000].encode())
        assert sender.recv(12) == b"HTTP/1.1 401"


PATIENCE = 0.02
PIECE = {"type": "http.response.body", "body": b"0", "more_body": True}


def deliver(arrived: list[int | None], *, blocked_for: int) -> int:
    """Send a chunk that is taken after the system was asked `blocked_for` times; returns how often it was asked."""
    asked = []

    async def main() -> None:
        taken = asyncio.Event()

        async def send(message: object) -> None:
            await taken.wait()

        def acknowledged(client: object) -> int | None:
            asked.append(client)
            if len(asked) == blocked_for:
                taken.set()
            return arrived[min(len(asked), len(arrived)) - 1]

        await timed_send(send, ("192.0.2.1", 1), PATIENCE, acknowledged)(PIECE)

    asyncio.run(main())
    return len(asked)


def test_a_client_that_takes_some_bytes_now_and_then_is_waited_for():
    assert deliver([10, 20, 30, 40, 50], blocked_for=5) == 5


@pytest.mark.parametrize("arrived", [[10, 10], [10, 20, 20], [None, None]], ids=repr)
def test_a_client_without_newly_arrived_bytes_is_not_waited_for(arrived):
    with pytest.raises(ClientStalled):
        deliver(arrived, blocked_for=100)


@contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket, tuple[str, int]]]:
    """A client, the server's end of its connection, and the client's address."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        connection, peer = server.accept()
        with connection:
            yield client, connection, peer


def test_the_system_says_how_much_a_client_has_taken():
    connections = Connections()
    with connected() as (client, connection, peer):
        before = connections.bytes_acknowledged(peer)
        connection.sendall(b"0" * 1000)
        received = 0
        while received < 1000:
            received += len(client.recv(1000))
        client.sendall(b"1")
        assert connection.recv(1) == b"1"
        assert connections.bytes_acknowledged(peer) == before + 1000


def test_of_an_unknown_connection_the_system_says_nothing():
    assert Connections().bytes_acknowledged(("192.0.2.1", 1)) is None


def test_a_connection_made_after_the_last_reading_is_found_by_the_next(monkeypatch):
    monkeypatch.setattr(slow_clients, "LOOK_AGAIN_SECONDS", 0.0)
    connections = Connections()
    with connected() as (_, _, first):
        assert connections.bytes_acknowledged(first) is not None
        with connected() as (_, _, second):
            assert connections.bytes_acknowledged(second) is not None


def test_unknown_connections_do_not_reload_the_table_each_time(monkeypatch):
    monkeypatch.setattr(slow_clients, "LOOK_AGAIN_SECONDS", 3600.0)
    connections = Connections()
    assert connections.bytes_acknowledged(("192.0.2.1", 1)) is None
    with connected() as (_, _, peer):
        assert connections.bytes_acknowledged(peer) is None


def test_a_connection_that_took_over_the_descriptor_of_another_is_not_taken_for_it():
    connections = Connections()
    with connected() as (_, connection, peer):
        connections.bytes_acknowledged(peer)
        descriptor = connection.fileno()
        with connected() as (_, other, _):
            os.dup2(other.fileno(), descriptor)
            assert connections.bytes_acknowledged(peer) is None


def read(*pieces: bytes, pause: float) -> bool:
    """Whether a body of these pieces, the last one after a pause of so many seconds, was too slow."""

    async def main() -> bool:
        left = list(pieces)

        async def receive() -> dict[str, object]:
            if len(left) == 1:
                await asyncio.sleep(pause)
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

        body = TimedBody(receive, PATIENCE)
        while (await body()).get("more_body"):
            pass
        return body.is_too_slow

    return asyncio.run(main())


def test_a_body_of_less_than_a_kilobyte_a_second_is_too_slow():
    assert read(b"{", b"}", pause=3600) is True


def test_a_body_that_came_fast_may_pause():
    assert read(b" " * 1024 * 1024, b"}", pause=5 * PATIENCE) is False
