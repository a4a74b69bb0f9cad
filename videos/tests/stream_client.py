"""A client of event streams on a plain socket, so that a test can open hundreds without threads."""

import json
import re
import socket
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from genvid.tests.factories import Person
from videos.models import Video

PATIENCE = 900.0


@dataclass
class StreamEvent:
    """An event of a stream."""

    kind: str
    data: dict[str, Any]
    id: int | None = None


@dataclass
class StreamClient:
    """Reads one stream. `events`: those received so far. `is_over`: the server has ended the stream."""

    url: str
    person: Person
    video: Video
    last_event_id: object = None
    received: bytes = field(default=b"", repr=False)
    is_over: bool = False

    def open(self) -> Self:
        address = urlsplit(self.url)
        self.socket = socket.create_connection((address.hostname, address.port), PATIENCE)
        self.socket.settimeout(0.05)
        lines = [
            # 1.0, so that the answer comes without chunks and ends with the connection.
            f"GET /api/v1/videos/{self.video.pk}/events HTTP/1.0",
            f"Host: {address.netloc}",
            f"Authorization: Bearer {self.person.tokens.access_token}",
            "Accept: text/event-stream",
        ]
        if self.last_event_id is not None:
            lines.append(f"Last-Event-ID: {self.last_event_id}")
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        return self

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> bool:
        """Receive what has arrived. False if nothing has."""
        try:
            piece = self.socket.recv(65536)
        except TimeoutError:
            return False
        except ConnectionError:
            piece = b""
        self.is_over = self.is_over or piece == b""
        self.received += piece
        return piece != b""

    def read_until_statuses(self, *kinds: str, seconds: float = PATIENCE) -> list[StreamEvent]:
        """Read until the received statuses end with these."""
        self.read_until(lambda: tuple(self.statuses[-len(kinds) :]) == kinds, seconds)
        return self.events

    def read_to_end(self, seconds: float = PATIENCE) -> list[StreamEvent]:
        self.read_until(lambda: self.is_over, seconds)
        return self.events

    def read_until(self, done: Any, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"not within {seconds} s; {self.received[-2000:]!r}"
            if not self.is_over:
                self.read()
            else:
                assert done(), f"the stream ended before; {self.received[-2000:]!r}"

    @property
    def status(self) -> int:
        self.read_until(lambda: b"\r\n\r\n" in self.received, PATIENCE)
        return int(self.received.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        head = self.received.partition(b"\r\n\r\n")[0].decode()
        return {name.lower(): value for name, value in re.findall(r"^([\w-]+): (.*?)\r?$", head, re.MULTILINE)}

    @property
    def body(self) -> bytes:
        return self.received.partition(b"\r\n\r\n")[2]

    @property
    def events(self) -> list[StreamEvent]:
        return parse(self.body.decode(errors="replace"))

    @property
    def statuses(self) -> list[str]:
        return [event.data["to_status"] for event in self.events if event.kind == "status"]

    @property
    def ids(self) -> list[int]:
        return [event.id for event in self.events if event.id is not None]


def parse(text: str) -> list[StreamEvent]:
    """The events of a stream, parsed as in the HTML standard; an incomplete last one is left out."""
    events = []
    for block in text.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "data" in fields:
            event_id = int(fields["id"]) if "id" in fields else None
            events.append(StreamEvent(fields["event"], json.loads(fields["data"]), event_id))
    return events
