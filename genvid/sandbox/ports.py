"""Ports for servers that tests start."""

import socket
import sys

HOST = "127.0.0.1"


class ReservedPort:
    """A loopback port that nobody else is given as long as this object lives.

    A socket that is bound and never listens holds it: the kernel gives it neither to another that asks for any port
    nor to an outgoing connection, while a server that binds it by its number with SO_REUSEADDR gets it, repeatedly.
    """

    def __init__(self) -> None:
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind((HOST, 0))
        self.number: int = self._holder.getsockname()[1]
        self.url = f"http://{HOST}:{self.number}"

    def hand_over(self) -> None:
        """Call before a server binds it. Only Linux lets a second socket bind; elsewhere the port is let go."""
        if sys.platform != "linux":
            self._holder.close()

    def close(self) -> None:
        self._holder.close()

    __del__ = close
