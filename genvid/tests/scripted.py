"""The outside world in tests: a real HTTP server on the loopback that answers what a test wrote down."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """`hang_up` closes the connection unanswered; `delay` is before the answer, `drip` before each byte of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    hang_up: bool = False


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Clients that hang up are what some tests are about."""


class ScriptedServer:
    """Answers in the order written; `requests` is what came, header names in lower case."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.requests: list[Request] = []
        self.connections = 0
        self._http = QuietServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def says(self, status: int = 200, body: Any = b"", **options: Any) -> None:
        """`body` is bytes, or what becomes JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.script.append(Answer(status, content, **options))


def _handler(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 600

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def handle_any(self) -> None:
            server.requests.append(_read(self))
            answer = server.script.pop(0) if server.script else Answer(599, b"unscripted")
            time.sleep(answer.delay)
            if answer.hang_up:
                self.close_connection = True
                return
            _write(self, answer)

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _read(handler: BaseHTTPRequestHandler) -> Request:
    parts = urlsplit(handler.path)
    body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    headers = {name.lower(): value for name, value in handler.headers.items()}
    return Request(handler.command, parts.path, dict(parse_qsl(parts.query)), headers, body)


def _write(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.send_response_only(answer.status)
    length = {} if "Transfer-Encoding" in answer.headers else {"Content-Length": str(len(answer.body))}
    headers = length | answer.headers
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    pieces = [bytes([byte]) for byte in answer.body] if answer.drip else [answer.body]
    try:
        for piece in pieces:
            time.sleep(answer.drip)
            handler.wfile.write(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass
    if headers.get("Content-Length", "") not in ("", str(len(answer.body))):
        handler.close_connection = True
