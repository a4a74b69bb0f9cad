"""Tag webhook: endpoints, their secrets, and the history of events."""

import json
import secrets
import time
from typing import Any

from genvid.sandbox.api_errors import ApiError
from genvid.sandbox.heygen import paging
from genvid.sandbox.heygen.dispatch import Call, Operation, Reply
from genvid.sandbox.heygen.heygen_sender import iso
from genvid.sandbox.heygen.video_operations import check_callback
from genvid.sandbox.store import Row

ENDPOINTS = "/v3/webhooks/endpoints"


async def create(call: Call) -> Reply:
    body, store = call.body, call.core.store
    check_callback(call.core, body["url"], "url")
    if store.row("SELECT id FROM endpoints WHERE url = ?", body["url"]) is not None:
        raise ApiError("conflict", f"A webhook endpoint for {body['url']} is already registered", param="url")
    endpoint_id, secret = "ep_" + secrets.token_hex(12), _new_secret()
    store.add(
        "endpoints",
        id=endpoint_id,
        url=body["url"],
        events=json.dumps(body["events"]) if body.get("events") is not None else None,
        entity_id=body.get("entity_id"),
        secret=secret,
        created_at=time.time(),
    )
    await call.core.sender.probe(body["url"])
    return Reply({**_show(_find(call, endpoint_id)), "secret": secret})


def _new_secret() -> str:
    return "whsec_" + secrets.token_urlsafe(24)


def _show(row: Row) -> dict[str, Any]:
    return {
        "endpoint_id": row["id"],
        "url": row["url"],
        "status": "enabled",
        "events": json.loads(row["events"]) if row["events"] else None,
        "created_at": iso(row["created_at"]),
        "secret": None,
    }


def _find(call: Call, endpoint_id: str) -> Row:
    row = call.core.store.row("SELECT * FROM endpoints WHERE id = ?", endpoint_id)
    if row is None:
        raise ApiError("webhook_not_found", f"Webhook endpoint {endpoint_id} not found")
    return row


async def list_all(call: Call) -> Reply:
    rows = call.core.store.rows("SELECT * FROM endpoints ORDER BY seq")
    return paging.page(call, [(row["seq"], row) for row in rows], _show)


async def rotate(call: Call) -> Reply:
    endpoint, secret = _find(call, call.path["endpoint_id"]), _new_secret()
    call.core.store.run("UPDATE endpoints SET secret = ? WHERE id = ?", secret, endpoint["id"])
    return Reply({"endpoint_id": endpoint["id"], "secret": secret})


async def history(call: Call) -> Reply:
    kind, entity = call.query["event_type"], call.query["entity_id"]
    rows = call.core.store.rows("SELECT * FROM events ORDER BY seq DESC")
    wanted = [(row["seq"], row) for row in rows if kind in (None, row["type"]) and entity in (None, row["entity_id"])]
    return paging.page(call, wanted, _show_event, newest_first=True)


def _show_event(row: Row) -> dict[str, Any]:
    return {
        "event_id": row["id"],
        "event_type": row["type"],
        "event_data": json.loads(row["data"]),
        "created_at": iso(row["created_at"]),
    }


OPERATIONS = [
    Operation("POST", ENDPOINTS, create),
    Operation("GET", ENDPOINTS, list_all),
    Operation("POST", ENDPOINTS + "/{endpoint_id}/rotate-secret", rotate),
    Operation("GET", "/v3/webhooks/events", history),
]
