"""Tag video: many videos in one request. They wait as `queued` for a slot, so no gate refuses them."""

import secrets
import time
from functools import partial
from typing import Any

from genvid.sandbox.errors import ApiError
from genvid.sandbox.heygen import events, pages
from genvid.sandbox.heygen.calls import Call, Operation, Reply
from genvid.sandbox.heygen.plans import Plan, plan_of
from genvid.sandbox.heygen.videos import Place, accept, check_callback, item

BATCHES = "/v3/videos/batches"


async def create(call: Call) -> Reply:
    """All or nothing: one bad item refuses the batch, with its number in `param`."""
    core, body = call.core, call.body
    check_callback(core, body.get("callback_url"), "callback_url")
    plans = [await _planned(call, number, one) for number, one in enumerate(body["videos"])]
    batch_id = secrets.token_hex(16)
    return Reply({"batch_id": batch_id}, status=202, action=partial(_accept_all, call, batch_id, plans))


def _accept_all(call: Call, batch_id: str, plans: list[Plan]) -> None:
    body = call.body
    call.core.store.add(
        "batches",
        id=batch_id,
        kind="videos",
        title=body.get("title"),
        callback_url=body.get("callback_url"),
        created_at=time.time(),
    )
    for number, (one, plan) in enumerate(zip(body["videos"], plans, strict=True)):
        accept(call, one, plan, Place(batch_id, number), secrets.token_hex(16))


async def _planned(call: Call, number: int, video: dict[str, Any]) -> Plan:
    try:
        check_callback(call.core, video.get("callback_url"), "callback_url")
        return await plan_of(call.core, video)
    except ApiError as error:
        error.param = ".".join(filter(None, (f"videos.{number}", error.param)))
        raise


async def get(call: Call) -> Reply:
    store, batch_id = call.core.store, call.path["batch_id"]
    batch = store.row("SELECT * FROM batches WHERE id = ? AND kind = 'videos'", batch_id)
    if batch is None:
        raise ApiError("batch_not_found", f"Batch {batch_id} not found")
    rows = store.rows("SELECT * FROM videos WHERE batch_id = ? ORDER BY item_index", batch_id)
    shown, paging = pages.cut(call, [(row["item_index"], row) for row in rows])
    return Reply(
        {
            "batch_id": batch_id,
            "title": batch["title"],
            "status": _status(rows),
            "total_items": len(rows),
            "counts_by_status": events.counts(store, batch_id),
            "created_at": int(batch["created_at"]),
            "items": [item(row) for row in shown],
            **paging,
        }
    )


def _status(rows: list[dict[str, Any]]) -> str:
    """A batch has failed when nothing in it succeeded."""
    statuses = {row["status"] for row in rows}
    if statuses - {"completed", "failed"}:
        return "processing"
    return "completed" if "completed" in statuses else "failed"


OPERATIONS = [
    Operation("POST", BATCHES, create),
    Operation("GET", BATCHES + "/{batch_id}", get),
]
