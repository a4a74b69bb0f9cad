import socket

import pytest

from genvid.sandbox.ports import HOST, ReservedPort


def bound(number: int) -> socket.socket:
    """As servers bind: Redis, uvicorn and granian all set SO_REUSEADDR."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((HOST, number))
    return server


def test_callers_of_a_reserved_port_are_refused_until_a_server_listens() -> None:
    port = ReservedPort()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port.number))


def test_a_reserved_port_is_given_to_nobody_who_asks_for_any_port() -> None:
    port = ReservedPort()
    others = [bound(0) for _ in range(500)]

    assert port.number not in [other.getsockname()[1] for other in others]
    for other in others:
        other.close()


def test_one_server_after_the_other_binds_a_reserved_port() -> None:
    port = ReservedPort()
    port.hand_over()

    for _ in range(2):
        with bound(port.number) as server:
            server.listen()
            socket.create_connection((HOST, port.number)).close()


def test_a_closed_port_is_free_for_everybody() -> None:
    port = ReservedPort()
    port.close()

    with socket.socket() as server:
        server.bind((HOST, port.number))
