"""Calls the application as a WSGI server does."""

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

Environ = dict[str, Any]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str = ""
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def environ(self) -> Environ:
        body = b"" if self.body is None else json.dumps(self.body).encode()
        sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        if body:
            sent |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        return {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "HTTP_ACCEPT": "application/json",
            "HTTP_USER_AGENT": "bench",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **sent,
        }


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]


def call(environ: Environ) -> Answer:
    started: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:
        started.append(status)
        return len

    chunks: Iterable[bytes] = _application()(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        cast("Any", chunks).close()
    return Answer(int(started[0][:3]), body)


def _application() -> Callable[[Environ, Any], Iterable[bytes]]:
    from genvid.wsgi import application  # noqa: PLC0415 - settings are read when this module is not yet loaded

    return application
