"""`/_sandbox/…`: settings, faults, and the records of HeyGen's side. For this machine only."""

import json
from collections import defaultdict
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from genvid.sandbox import faults
from genvid.sandbox.api_errors import ApiError, refuse
from genvid.sandbox.heygen import made_objects
from genvid.sandbox.heygen.wallet import MICRO
from genvid.sandbox.local_routes import local_route
from genvid.sandbox.state import State
from genvid.sandbox.store import Row


async def _settings(state: State, request: Request, body: Any) -> Any:
    if request.method == "PATCH":
        state.settings.update(body)
    elif request.method == "DELETE":
        state.settings.reset()
    state.heygen.render_queue.wake()
    return state.settings.as_json()


async def _queue_fault(state: State, request: Request, body: Any) -> Any:
    return {"queued": faults.queue(state.store, body).kind}


async def _clear_faults(state: State, request: Request, body: Any) -> Any:
    return {"cleared": state.store.run("DELETE FROM faults")}


async def _records(state: State, request: Request, body: Any) -> Any:
    shown = """id, status, title, script, product, job, creates, idempotency_key, callback_id, callback_url,
               duration, failure_code, deleted, created_at, completed_at, charged"""
    videos = state.store.rows(f"SELECT {shown} FROM videos ORDER BY seq")
    deliveries = state.store.rows(
        """SELECT seq, event_id, event_type, endpoint_id, url, mode, status, tries, created_at, due_at
           FROM deliveries ORDER BY seq"""
    )
    attempts = _attempts(state)
    return {
        "wallet": state.heygen.wallet.balance / MICRO,
        "videos": [video | {"charged": video["charged"] / MICRO} for video in videos],
        "deliveries": [row | {"attempts": attempts[row["seq"]]} for row in deliveries],
        "faults": state.store.rows("SELECT spec, left FROM faults WHERE left > 0"),
        **_counts(state),
    }


def _attempts(state: State) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in state.store.rows("SELECT delivery, at, answer, error FROM attempts ORDER BY seq"):
        found[row.pop("delivery")].append(row)
    return found


def _counts(state: State) -> dict[str, dict[str, int]]:
    rows = state.store.rows
    return {
        "requests": {row["route"]: row["count"] for row in rows("SELECT * FROM requests")},
        "drawn_faults": {row["rate"]: row["count"] for row in rows("SELECT * FROM drawn_faults")},
    }


async def _renders(state: State, request: Request, body: Any) -> Any:
    sql = """SELECT id, callback_id, idempotency_key, status, creates, duration, charged, failure_code, deleted, made
             FROM videos ORDER BY seq"""
    return {"renders": [_render(state, row) for row in state.store.rows(sql)], **_counts(state)}


def _render(state: State, row: Row) -> Row:
    made = json.loads(row.pop("made") or "{}")
    folder = state.heygen.links.video_folder(row["id"])
    files = {kind: folder / made["files"][kind] for kind in ("video", "captioned") if kind in made.get("files", {})}
    hashes = {kind: sha256(path.read_bytes()).hexdigest() for kind, path in files.items() if path.is_file()}
    return row | {"charged": row["charged"] / MICRO, "sha256": hashes}


async def _made_objects(state: State, request: Request, body: Any) -> Any:
    rows = made_objects.listed(state.store)
    return {"made_objects": [row | {"charged": row["charged"] / MICRO} for row in rows]}


async def _set_wallet(state: State, request: Request, body: Any) -> Any:
    balance = body.get("balance") if isinstance(body, dict) else None
    if not isinstance(balance, int | float):
        refuse("balance", "balance is a number of dollars")
    state.heygen.wallet.set(round(balance * MICRO))
    return {"balance": state.heygen.wallet.balance / MICRO}


async def _complete(state: State, request: Request, body: Any) -> Any:
    video_id = request.path_params["video_id"]
    if not state.heygen.render_queue.release(video_id):
        raise ApiError("video_not_found", f"No unfinished video {video_id}")
    return {"id": video_id}


async def _fail(state: State, request: Request, body: Any) -> Any:
    video_id, given = request.path_params["video_id"], body or {}
    code = given.get("code", "rendering_failed")
    if not state.heygen.render_queue.fail(video_id, code, given.get("message")):
        raise ApiError("video_not_found", f"No unfinished video {video_id}")
    return {"id": video_id}


async def _consent(state: State, request: Request, body: Any) -> Any:
    group_id = request.path_params["group_id"]
    if not state.heygen.give_consent(group_id):
        raise ApiError("avatar_group_not_found", f"No group {group_id}")
    return {"id": group_id}


async def _reset(state: State, request: Request, body: Any) -> Any:
    state.store.wipe()
    state.settings.reset()
    return {}


def routes(state: State) -> list[Route]:
    return [
        local_route(state, "settings", _settings, "GET", "PATCH", "DELETE"),
        local_route(state, "faults", _queue_fault, "POST"),
        local_route(state, "faults", _clear_faults, "DELETE"),
        local_route(state, "records", _records, "GET"),
        local_route(state, "renders", _renders, "GET"),
        local_route(state, "made-objects", _made_objects, "GET"),
        local_route(state, "wallet", _set_wallet, "POST"),
        local_route(state, "reset", _reset, "POST"),
        local_route(state, "videos/{video_id}/complete", _complete, "POST"),
        local_route(state, "videos/{video_id}/fail", _fail, "POST"),
        local_route(state, "avatars/{group_id}/consent", _consent, "POST"),
    ]
