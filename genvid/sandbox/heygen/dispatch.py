"""From a request to a handler and back: faults, key, validation, idempotency and the envelope."""

import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genvid.sandbox import faults, heygen_schema
from genvid.sandbox.api_errors import ApiError, ConnectionDropped, refuse
from genvid.sandbox.heygen.heygen_core import HeyGenCore
from genvid.sandbox.store import Store

KEY_LIFETIME = 24 * 3600


@dataclass
class Call:
    core: HeyGenCore
    request: Request
    query: dict[str, Any]
    body: Any
    key: str | None
    idempotency_key: str | None

    @property
    def path(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.request.path_params.items()}

    @property
    def is_test(self) -> bool:
        return self.key is not None and self.key == self.core.options.test_key

    @property
    def base(self) -> str:
        return str(self.request.base_url).rstrip("/")


@dataclass(frozen=True)
class Reply:
    """What a handler returns: `data`, and what stands next to it in the envelope."""

    data: Any
    extra: dict[str, Any] | None = None
    status: int = 200
    video_id: str | None = None
    lost: bool = False
    action: Callable[[], object] | None = None
    """Carried out in one transaction with storing the reply under its Idempotency-Key."""

    @property
    def body(self) -> dict[str, Any]:
        return {"data": self.data, **(self.extra or {})}


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    handler: Handler

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def route(core: HeyGenCore, operation: Operation) -> Route:
    async def endpoint(request: Request) -> Response:
        core.store.count("requests", "route", operation.name)
        return await _answer(core, operation, request)

    return Route(operation.path, endpoint, methods=[operation.method])


async def _answer(core: HeyGenCore, operation: Operation, request: Request) -> Response:
    fault = faults.take(core.store, operation.method, request.url.path)
    await faults.apply_before(core.store, core.settings, fault)
    key = _authorised(core, request)
    core.rates.check(operation.name, time.monotonic())
    faults.apply_instead(core.settings)
    reply = await _replayed(core, operation, request, key)
    if fault.kind == "lost" or reply.lost:
        raise ConnectionDropped
    if operation.method == "POST":
        faults.apply_after(core.settings)
    return JSONResponse(reply.body, reply.status)


def _authorised(core: HeyGenCore, request: Request) -> str:
    bearer = request.headers.get("authorization", "").partition(" ")
    key = request.headers.get("x-api-key", "") or (bearer[2] if bearer[0].lower() == "bearer" else "")
    good = {core.options.api_key, core.options.test_key}
    if not key or (core.options.api_key and key not in good):
        raise ApiError("unauthorized")
    return key


async def _replayed(core: HeyGenCore, operation: Operation, request: Request, key: str) -> Reply:
    given = request.headers.get("idempotency-key")
    if operation.method != "POST" or given is None:
        return _carried_out(core, await _handled(core, operation, request, key, None))
    if not re.fullmatch(r"[A-Za-z0-9_\-:.]{1,255}", given):
        refuse("Idempotency-Key", "Idempotency-Key must be 1-255 characters of A-Z a-z 0-9 _ - : .")
    text = "\n".join((operation.method, request.url.path, key, given))
    scope = hashlib.sha256(text.encode()).hexdigest()
    if kept := _kept(core.store, scope):
        return kept
    if scope in core.in_progress:
        raise ApiError("request_in_progress", retry_after=core.settings.current.retry_after)
    core.in_progress.add(scope)
    try:
        return _carried_out(core, await _handled(core, operation, request, key, given), scope)
    finally:
        core.in_progress.discard(scope)


def _carried_out(core: HeyGenCore, reply: Reply, scope: str = "") -> Reply:
    """Runs the reply's action and keeps the reply in one transaction, so that no key ever makes two videos."""
    with core.store.together():
        if reply.action is not None:
            reply.action()
        if scope:
            _keep(core.store, scope, reply)
    return reply


def _kept(store: Store, scope: str) -> Reply | None:
    row = store.row("SELECT * FROM replays WHERE scope = ? AND created_at > ?", scope, time.time() - KEY_LIFETIME)
    if row is None:
        return None
    store.run("UPDATE videos SET creates = creates + 1 WHERE id = ?", row["video_id"])
    extra = json.loads(row["body"])
    return Reply(extra.pop("data"), extra, row["status"])


def _keep(store: Store, scope: str, reply: Reply) -> None:
    sql = "INSERT OR REPLACE INTO replays (scope, created_at, status, body, video_id) VALUES (?, ?, ?, ?, ?)"
    store.run(sql, scope, time.time(), reply.status, json.dumps(reply.body), reply.video_id)


async def _handled(
    core: HeyGenCore, operation: Operation, request: Request, key: str, idempotency_key: str | None
) -> Reply:
    query = heygen_schema.read_query(operation.path, operation.method, dict(request.query_params))
    if isinstance(query, heygen_schema.Violation):
        refuse(query.param, query.message)
    body = await _body(operation, request)
    return await operation.handler(Call(core, request, query, body, key, idempotency_key))


async def _body(operation: Operation, request: Request) -> Any:
    if not heygen_schema.takes_json(operation.path, operation.method):
        return None
    raw = await request.body()
    if not raw and not heygen_schema.body_is_required(operation.path, operation.method):
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        refuse("body", "The request body is not valid JSON")
    violation = heygen_schema.body_violation(operation.path, operation.method, body)
    if violation is not None:
        refuse(violation.param or "body", violation.message)
    return body
