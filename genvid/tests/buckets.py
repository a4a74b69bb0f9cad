"""An S3-compatible bucket for tests: small objects in memory, signed forms and CORS rules judged as Amazon does it."""

import base64
import hashlib
import hmac
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fnmatch import fnmatchcase
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
Rule = dict[str, Any]
"""One of `CORSRules`, as `put-bucket-cors` takes them."""


def parameters_of(link: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(link).query).items()}


class Store(BaseHTTPRequestHandler):
    """An S3 endpoint for small objects; it keeps them with their headers."""

    protocol_version = "HTTP/1.1"
    KEPT = ("Content-Type", "Content-Disposition", "Cache-Control")
    objects: dict[str, Object]
    state: SimpleNamespace
    """`broken`: methods that answer 500. `full`: what is sent is refused, as MinIO does."""
    cors: list[Rule]
    """None, unless somebody makes some: so are buckets by default."""

    def do_OPTIONS(self) -> None:
        asked = self.headers.get("Access-Control-Request-Headers", "").replace(" ", "")
        method = self.headers.get("Access-Control-Request-Method", "")
        if not (allowed := self.permission(method, [name for name in asked.split(",") if name])):
            self.answer(403, {}, error("AccessForbidden", "CORSResponse: This CORS request is not allowed."))
            return
        self.answer(200, allowed | {"Access-Control-Allow-Headers": asked}, b"")

    def permission(self, method: str, names: list[str]) -> dict[str, str]:
        """Headers that let a page read the answer; none without a rule for its origin and for what it sends."""
        origin = self.headers.get("Origin", "")
        for rule in self.cors if origin else []:
            fits = any(fnmatchcase(origin, each) for each in rule["AllowedOrigins"])
            if (
                fits
                and method in rule["AllowedMethods"]
                and all(_is_named(name, rule.get("AllowedHeaders", [])) for name in names)
            ):
                return {
                    "Access-Control-Allow-Origin": "*" if "*" in rule["AllowedOrigins"] else origin,
                    "Access-Control-Allow-Methods": ", ".join(rule["AllowedMethods"]),
                    "Access-Control-Expose-Headers": ", ".join(rule.get("ExposeHeaders", [])),
                    "Vary": "Origin",
                }
        return {}

    def do_PUT(self) -> None:
        body = self.body()
        kept = {name: self.headers[name] for name in self.KEPT if name in self.headers}
        if self.state.full:
            self.answer(
                507, {}, error("XMinioStorageFull", "Storage backend has reached its minimum free drive threshold.")
            )
        elif self.is_up():
            self.objects[self.key] = (kept, body)
            self.answer(200, {}, b"")

    def do_POST(self) -> None:
        """A signed form, as a browser sends it."""
        body = self.body()
        meta = {"CONTENT_TYPE": self.headers["Content-Type"], "CONTENT_LENGTH": str(len(body))}
        fields, files = MultiPartParser(meta, io.BytesIO(body), [_InMemory()], "utf-8").parse()
        form, content = fields.dict(), files["file"].read()
        if refusal := _refusal_of(form, content):
            self.answer(refusal[0], {}, error(*refusal[1:]))
            return
        self.objects[f"{self.key.rstrip('/')}/{form['key']}"] = ({"Content-Type": form["Content-Type"]}, content)
        self.answer(204, {}, b"")

    def do_GET(self) -> None:
        if not self.is_up():
            return
        if self.key not in self.objects:
            self.answer(404, {}, error("NoSuchKey"))
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
        if self.command in self.state.broken:
            self.answer(500, {}, error("InternalError"))
        return self.command not in self.state.broken

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        length = {} if status == 204 else {"Content-Length": str(len(body))}
        cors = {} if self.command == "OPTIONS" else self.permission(self.command, [])
        for name, value in (headers | length | cors | {"ETag": '"1"'}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


class _InMemory(MemoryFileUploadHandler):
    def handle_raw_input(self, *args: Any, **options: Any) -> None:
        self.activated = True


def error(code: str, message: str = "") -> bytes:
    return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


def _is_named(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _refusal_of(form: dict[str, str], content: bytes) -> tuple[int, str, str] | None:
    """Why not: the policy must be signed and valid, and every condition of it must hold."""
    _, date, region, service, _ = form["x-amz-credential"].split("/")
    key = f"AWS4{SECRET}".encode()
    for word in (date, region, service, "aws4_request"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, form["policy"].encode(), hashlib.sha256).hexdigest()
    policy = json.loads(base64.b64decode(form["policy"]))
    if signature != form["x-amz-signature"]:
        return 403, "SignatureDoesNotMatch", "The request signature we calculated does not match."
    if datetime.fromisoformat(policy["expiration"]) < datetime.now(UTC):
        return 403, "AccessDenied", "Invalid according to Policy: Policy expired."
    named = {name for each in policy["conditions"] if isinstance(each, dict) for name in each}
    is_covered = set(form) <= named | NOT_IN_POLICIES
    if not is_covered or not all(_holds(each, form) for each in policy["conditions"]):
        return 403, "AccessDenied", "Invalid according to Policy: Policy Condition failed."
    return _refusal_of_size(policy["conditions"], len(content))


def _holds(condition: Any, form: dict[str, str]) -> bool:
    if isinstance(condition, list):
        return condition[0] == "content-length-range"
    [(name, value)] = condition.items()
    return name == "bucket" or form.get(name) == value


def _refusal_of_size(conditions: list[Any], size: int) -> tuple[int, str, str] | None:
    [(least, most)] = [each[1:] for each in conditions if isinstance(each, list)]
    if size > most:
        return 400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"
    return (400, "EntityTooSmall", "Your proposed upload is too small") if size < least else None


@contextmanager
def served() -> Iterator[SimpleNamespace]:
    """Its `url`, the `objects` by path, the methods that are `broken`, whether it is `full`, and its `cors` rules."""
    objects: dict[str, Object] = {}
    cors: list[Rule] = []
    state = SimpleNamespace(objects=objects, broken=set(), cors=cors, full=False)
    handler = type("OwnStore", (Store,), {"objects": objects, "state": state, "cors": cors})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
        server.shutdown()
