"""`/_sandbox/…`: the knobs, the faults, the books. For this machine only."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genvid.sandbox import faults
from genvid.sandbox.errors import ApiError, refuse
from genvid.sandbox.house import House
from genvid.sandbox.store import Row
from genvid.sandbox.wallet import MICRO

Doer = Callable[[House, Request, Any], Awaitable[Any]]
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


async def _knobs(house: House, request: Request, body: Any) -> Any:
    if request.method == "PUT":
        house.board.put(body)
    elif request.method == "PATCH":
        house.board.turn(body)
    elif request.method == "DELETE":
        house.board.reset()
    house.production.wake()
    return house.board.as_json()


async def _queue_fault(house: House, request: Request, body: Any) -> Any:
    specs = body if isinstance(body, list) else [body]
    return {"queued": [faults.queue(house.store, spec).kind for spec in specs]}


async def _clear_faults(house: House, request: Request, body: Any) -> Any:
    return {"cleared": house.store.run("DELETE FROM faults")}


async def _books(house: House, request: Request, body: Any) -> Any:
    return books(house)


def books(house: House) -> dict[str, Any]:
    shown = """id, status, title, script, product, creates, idempotency_key, callback_id, callback_url,
               duration, failure_code, batch_id, deleted, created_at, completed_at, charged"""
    videos = house.store.rows(f"SELECT {shown} FROM videos ORDER BY seq")
    deliveries = house.store.rows(
        """SELECT seq, event_id, event_type, endpoint_id, url, mode, status, tries, created_at, due_at
           FROM deliveries ORDER BY seq"""
    )
    attempts = _attempts(house)
    return {
        "wallet": house.wallet.balance / MICRO,
        "videos": [video | {"charged": video["charged"] / MICRO} for video in videos],
        "deliveries": [row | {"attempts": attempts[row["seq"]]} for row in deliveries],
        "probes": attempts[0],
        "faults": house.store.rows("SELECT spec, left FROM faults WHERE left > 0"),
        **_counts(house),
    }


def _attempts(house: House) -> dict[int, list[dict[str, Any]]]:
    """By delivery; those of number 0 are probes."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in house.store.rows("SELECT delivery, at, answer, error FROM attempts ORDER BY seq"):
        found[row.pop("delivery")].append(row)
    return found


def _counts(house: House) -> dict[str, dict[str, int]]:
    """Requests by route, and how often each rate struck."""
    rows = house.store.rows
    return {
        "requests": {row["route"]: row["count"] for row in rows("SELECT * FROM requests")},
        "strikes": {row["kind"]: row["count"] for row in rows("SELECT * FROM strikes")},
    }


async def _renders(house: House, request: Request, body: Any) -> Any:
    """What was made and what it cost, without the deliveries: cheap for thousands."""
    sql = """SELECT id, callback_id, idempotency_key, status, creates, duration, charged, failure_code, deleted, made
             FROM videos ORDER BY seq"""
    return {"renders": [_render(house, row) for row in house.store.rows(sql)], **_counts(house)}


def _render(house: House, row: Row) -> Row:
    made = json.loads(row.pop("made") or "{}")
    folder = house.links.video_folder(row["id"])
    files = {kind: folder / made["files"][kind] for kind in ("video", "captioned") if kind in made.get("files", {})}
    hashes = {kind: sha256(path.read_bytes()).hexdigest() for kind, path in files.items() if path.is_file()}
    return row | {"charged": row["charged"] / MICRO, "sha256": hashes}


async def _set_wallet(house: House, request: Request, body: Any) -> Any:
    balance = body.get("balance") if isinstance(body, dict) else None
    if not isinstance(balance, int | float):
        refuse("balance", "balance is a number of dollars")
    house.wallet.set(round(balance * MICRO))
    return {"balance": house.wallet.balance / MICRO}


async def _complete(house: House, request: Request, body: Any) -> Any:
    video_id = request.path_params["video_id"]
    if not house.production.release(video_id):
        raise ApiError("video_not_found", f"No unfinished video {video_id}")
    return {"id": video_id}


async def _fail(house: House, request: Request, body: Any) -> Any:
    video_id, given = request.path_params["video_id"], body or {}
    code = given.get("code", "rendering_failed")
    if not house.production.fail(video_id, code, given.get("message")):
        raise ApiError("video_not_found", f"No unfinished video {video_id}")
    return {"id": video_id}


async def _reset(house: House, request: Request, body: Any) -> Any:
    """Everything forgotten but the files and the running renders, whose results nobody will miss."""
    house.store.wipe()
    house.board.reset()
    return {}


def local_route(house: House, path: str, doer: Doer, *methods: str) -> Route:
    """A lever: JSON in, JSON out, and only from this machine."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await doer(house, request, await _local_body(request)))
        except ApiError as error:
            return JSONResponse(error.body, error.status)

    return Route("/_sandbox/" + path, endpoint, methods=list(methods))


def routes(house: House) -> list[Route]:
    return [
        local_route(house, "knobs", _knobs, "GET", "PUT", "PATCH", "DELETE"),
        local_route(house, "faults", _queue_fault, "POST"),
        local_route(house, "faults", _clear_faults, "DELETE"),
        local_route(house, "books", _books, "GET"),
        local_route(house, "renders", _renders, "GET"),
        local_route(house, "wallet", _set_wallet, "POST"),
        local_route(house, "reset", _reset, "POST"),
        local_route(house, "videos/{video_id}/complete", _complete, "POST"),
        local_route(house, "videos/{video_id}/fail", _fail, "POST"),
    ]


async def _local_body(request: Request) -> Any:
    if request.client is None or request.client.host not in LOOPBACK:
        raise ApiError("forbidden", "Only from this machine")
    raw = await request.body()
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        refuse("body", "The request body is not valid JSON")
