"""Headers and addresses that are too large: refused by the web server, which goes on serving."""

import socket
from contextlib import suppress

import pytest

from genvid.tests.processes import WebProcess, answers

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def web(tmp_path_factory, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        process = WebProcess(tmp_path_factory.mktemp("web"))
        yield process.start()
        process.kill9()


def status_of(web: WebProcess, head: bytes) -> int:
    """The status of the answer to a raw request. A server that hangs up early answers first."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as connection:
        with suppress(ConnectionError):
            connection.sendall(head + b"\r\n\r\n")
        return int(connection.recv(64).split()[1])


PLAIN = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close"
# The server (hyper under granian) refuses a head that is incomplete when its buffer of 408 KiB is full, and one read
# can fill the buffer twice: only what is larger than both is refused at any pace of reading.
TOO_LARGE = 2_000_000
LARGE = {
    "one header": PLAIN + b"\r\nX-Large: " + b"a" * TOO_LARGE,
    "many headers": PLAIN + b"".join(b"\r\nX-%d: a" % number for number in range(500)),
    "an address": PLAIN.replace(b"/healthz", b"/healthz?" + b"a" * TOO_LARGE),
}


@pytest.mark.parametrize("head", LARGE.values(), ids=LARGE)
def test_too_large_headers_are_refused_and_the_next_request_is_served(web, head):
    assert status_of(web, head) in (414, 431)
    assert answers(f"{web.url}/healthz")
    assert status_of(web, PLAIN) == 200
