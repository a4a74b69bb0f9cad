"""The requests of each call as they go over the wire, for both servers. Imports no model: the load client uses it."""

import itertools
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.web.sizes import SCRIPT

SEPARATOR, KEY = b"\x1e", b"\x1f"
"""Before each request, and where an Idempotency-Key belongs that no other request has."""
TITLE = "Bench"
SHARES = {"video": 50, "page": 25, "avatars": 20, "create": 5}
"""The mix, in per cent."""
MIXED = 2_000
PASSWORD = "correct horse battery staple"  # noqa: S105 - of made-up people


@dataclass(frozen=True)
class Caller:
    token: str
    email: str
    videos: Sequence[str] = ()


@dataclass(frozen=True)
class Catalogue:
    """One avatar with its voice for each video that is ordered, in turns."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Server:
    """How one of the two is addressed."""

    name: str
    prefix: str
    slash: str
    login: str
    avatar: str
    voice: str

    def path(self, *parts: str) -> str:
        return self.prefix + "/".join(parts) + self.slash


OURS = Server("ours", "/api/v1/", "", "auth/login", "avatar_id", "voice_id")
REFERENCE = Server("reference", "/reference/", "/", "login", "avatar", "voice")


@dataclass(frozen=True)
class Traffic:
    """Makes the requests of one server. `signers`: those who sign in there; `team`: of the large account."""

    server: Server
    callers: Sequence[Caller]
    team: Sequence[Caller]
    signers: Sequence[Caller]
    catalogue: Catalogue

    def avatars(self) -> Iterator[bytes]:
        return (self._get(caller, "avatars") for caller in self.callers)

    def video(self) -> Iterator[bytes]:
        most = max(len(caller.videos) for caller in self.callers)
        for turn, caller in itertools.product(range(most), self.callers):
            if turn < len(caller.videos):
                yield self._get(caller, "videos", caller.videos[turn])

    def page(self) -> Iterator[bytes]:
        return (self._get(caller, "videos") for caller in self.callers)

    def large(self) -> Iterator[bytes]:
        return (self._get(caller, "videos") for caller in self.team)

    def create(self) -> Iterator[bytes]:
        for caller, (avatar, voice) in zip(self.callers, itertools.cycle(self.catalogue.pairs), strict=False):
            look = {"title": TITLE, "script": SCRIPT, "resolution": "720p", "metadata": {"order": "4711"}}
            body = look | {self.server.avatar: avatar, self.server.voice: voice}
            yield request("POST", self.server.path("videos"), token=caller.token, body=body, with_key=True)

    def login(self) -> Iterator[bytes]:
        for caller in self.signers:
            body = {"email": caller.email, "password": PASSWORD}
            yield request("POST", self.server.path(self.server.login), body=body)

    def mix(self) -> list[bytes]:
        """The shares of `SHARES`, in an order that is the same in every run."""
        mixed = [
            text
            for name, share in SHARES.items()
            for text in itertools.islice(itertools.cycle(getattr(self, name)()), MIXED * share // 100)
        ]
        random.Random(TITLE).shuffle(mixed)
        return mixed

    def _get(self, caller: Caller, *parts: str) -> bytes:
        return request("GET", self.server.path(*parts), token=caller.token)


def request(method: str, path: str, *, token: str = "", body: Any = None, with_key: bool = False) -> bytes:
    payload = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json", "User-Agent: bench"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Idempotency-Key: {KEY.decode()}"] if with_key else []
    lines += ["Content-Type: application/json", f"Content-Length: {len(payload)}"] if payload else []
    return "\r\n".join([*lines, "", ""]).encode() + payload


def write(requests: Iterable[bytes], path: Path) -> Path:
    path.write_bytes(b"".join(SEPARATOR + text for text in requests))
    return path
