"""An S3-compatible bucket for tests: small objects in memory, signed forms checked as Amazon checks them."""

import base64
import hashlib
import hmac
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser

SECRET = "secret"
NOT_IN_POLICIES = {"policy", "x-amz-signature", "file"}
"""Fields of a form that no condition need name; any other must be named, or the form is refused."""
Object = tuple[dict[str, str], bytes]


def parameters_of(link: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(link).query).items()}


class Store(BaseHTTPRequestHandler):
    """An S3 endpoint for small objects; it keeps them with their headers."""

    protocol_version = "HTTP/1.1"
    KEPT = ("Content-Type", "Content-Disposition", "Cache-Control")
    objects: dict[str, Object]
    broken: set[str]
    """Methods that answer 500."""

    def do_PUT(self) -> None:
        body = self.body()
        kept = {name: self.headers[name] for name in self.KEPT if name in self.headers}
        if self.is_up():
            self.objects[self.key] = (kept, body)
            self.answer(200, {}, b"")

    def do_POST(self) -> None:
        """A signed form, as a browser sends it."""
        body = self.body()
        meta = {"CONTENT_TYPE": self.headers["Content-Type"], "CONTENT_LENGTH": str(len(body))}
        fields, files = MultiPartParser(meta, io.BytesIO(body), [_InMemory()], "utf-8").parse()
        form, content = fields.dict(), files["file"].read()
        if not _is_allowed(form, content):
            self.answer(403, {}, b"<Error><Code>AccessDenied</Code></Error>")
            return
        self.objects[f"{self.key.rstrip('/')}/{form['key']}"] = ({"Content-Type": form["Content-Type"]}, content)
        self.answer(204, {}, b"")

    def do_GET(self) -> None:
        if not self.is_up():
            return
        if self.key not in self.objects:
            self.answer(404, {}, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        kept, body = self.objects[self.key]
        words = parameters_of(self.path)
        said = {name: words[f"response-{name.lower()}"] for name in self.KEPT if f"response-{name.lower()}" in words}
        self.answer(200, kept | said | {"Last-Modified": "Mon, 30 Nov 2026 00:00:00 GMT"}, body)

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        if self.is_up():
            self.objects.pop(self.key, None)
            self.answer(204, {}, b"")

    @property
    def key(self) -> str:
        return urlsplit(self.path).path

    def is_up(self) -> bool:
        if self.command in self.broken:
            self.answer(500, {}, b"<Error><Code>InternalError</Code></Error>")
        return self.command not in self.broken

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        length = {} if status == 204 else {"Content-Length": str(len(body))}
        for name, value in (headers | length | {"ETag": '"1"'}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


class _InMemory(MemoryFileUploadHandler):
    def handle_raw_input(self, *args: Any, **options: Any) -> None:
        self.activated = True


def _is_allowed(form: dict[str, str], content: bytes) -> bool:
    """Whether the policy is signed and every condition of it holds."""
    _, date, region, service, _ = form["x-amz-credential"].split("/")
    key = f"AWS4{SECRET}".encode()
    for word in (date, region, service, "aws4_request"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, form["policy"].encode(), hashlib.sha256).hexdigest()
    policy = json.loads(base64.b64decode(form["policy"]))
    if signature != form["x-amz-signature"] or datetime.fromisoformat(policy["expiration"]) < datetime.now(UTC):
        return False
    named = {name for each in policy["conditions"] if isinstance(each, dict) for name in each}
    is_covered = set(form) <= named | NOT_IN_POLICIES
    return is_covered and all(_holds(each, form, content) for each in policy["conditions"])


def _holds(condition: Any, form: dict[str, str], content: bytes) -> bool:
    if isinstance(condition, dict):
        [(name, value)] = condition.items()
        return name == "bucket" or form.get(name) == value
    kind, least, most = condition
    assert kind == "content-length-range"
    return bool(least <= len(content) <= most)


@contextmanager
def served() -> Iterator[SimpleNamespace]:
    """Its `url`, the `objects` by path, and the methods that are `broken`."""
    objects: dict[str, Object] = {}
    broken: set[str] = set()
    handler = type("OwnStore", (Store,), {"objects": objects, "broken": broken})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", objects=objects, broken=broken)
        server.shutdown()
