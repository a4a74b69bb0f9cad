"""Tag webhook: endpoints, their secrets, the kinds of event and their history."""

import json
import secrets
import time
from typing import Any

from genvid.sandbox import contract
from genvid.sandbox.errors import ApiError
from genvid.sandbox.heygen import pages
from genvid.sandbox.heygen.calls import Call, Operation, Reply
from genvid.sandbox.heygen.heygen_sender import iso
from genvid.sandbox.heygen.videos import check_callback
from genvid.sandbox.store import Row

ENDPOINTS = "/v3/webhooks/endpoints"


async def create(call: Call) -> Reply:
    body, store = call.body, call.core.store
    check_callback(call.core, body["url"], "url")
    _refuse_taken(call, body["url"], "")
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


def _refuse_taken(call: Call, url: str, own_id: str) -> None:
    sql = "SELECT id FROM endpoints WHERE url = ? AND id <> ?"
    if call.core.store.row(sql, url, own_id) is not None:
        raise ApiError("conflict", f"A webhook endpoint for {url} is already registered", param="url")


def _new_secret() -> str:
    return "whsec_" + secrets.token_urlsafe(24)


def _show(row: Row) -> dict[str, Any]:
    """The secret is told at creation and rotation only."""
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
    return pages.page(call, [(row["seq"], row) for row in rows], _show)


async def update(call: Call) -> Reply:
    endpoint, body, store = _find(call, call.path["endpoint_id"]), call.body, call.core.store
    if body.get("url"):
        check_callback(call.core, body["url"], "url")
        _refuse_taken(call, body["url"], endpoint["id"])
        store.run("UPDATE endpoints SET url = ? WHERE id = ?", body["url"], endpoint["id"])
    if "events" in body:
        events = json.dumps(body["events"]) if body["events"] is not None else None
        store.run("UPDATE endpoints SET events = ? WHERE id = ?", events, endpoint["id"])
    return Reply(_show(_find(call, endpoint["id"])))


async def delete(call: Call) -> Reply:
    endpoint, store = _find(call, call.path["endpoint_id"]), call.core.store
    with store.together():
        store.run("DELETE FROM endpoints WHERE id = ?", endpoint["id"])
        sql = "UPDATE deliveries SET status = 'abandoned' WHERE endpoint_id = ? AND status = 'waiting'"
        store.run(sql, endpoint["id"])
    return Reply({}, {"error": None})


async def rotate(call: Call) -> Reply:
    endpoint, secret = _find(call, call.path["endpoint_id"]), _new_secret()
    call.core.store.run("UPDATE endpoints SET secret = ? WHERE id = ?", secret, endpoint["id"])
    return Reply({"endpoint_id": endpoint["id"], "secret": secret})


async def event_types(call: Call) -> Reply:
    parameters = contract.operation("/v3/webhooks/events", "get")["parameters"]
    kinds = next(one["schema"]["enum"] for one in parameters if one["name"] == "event_type")
    return pages.unpaged([{"event_type": kind, "description": _described(kind)} for kind in kinds])


def _described(kind: str) -> str:
    subject, _, outcome = kind.partition(".")
    verbs = {"success": "finished", "fail": "failed", "": "is ready"}
    return f"{subject.replace('_', ' ').capitalize()} {verbs.get(outcome, outcome.replace('_', ' '))}."


async def history(call: Call) -> Reply:
    kind, entity = call.query["event_type"], call.query["entity_id"]
    rows = call.core.store.rows("SELECT * FROM events ORDER BY seq DESC")
    wanted = [(row["seq"], row) for row in rows if kind in (None, row["type"]) and entity in (None, row["entity_id"])]
    return pages.page(call, wanted, _show_event, newest_first=True)


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
    Operation("PATCH", ENDPOINTS + "/{endpoint_id}", update),
    Operation("DELETE", ENDPOINTS + "/{endpoint_id}", delete),
    Operation("POST", ENDPOINTS + "/{endpoint_id}/rotate-secret", rotate),
    Operation("GET", "/v3/webhooks/event-types", event_types),
    Operation("GET", "/v3/webhooks/events", history),
]
