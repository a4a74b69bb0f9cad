"""Tag asset: uploads, direct uploads and their batches."""

import hashlib
import secrets
import time
from functools import partial
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from genvid.sandbox.api_errors import ApiError, refuse
from genvid.sandbox.heygen import made_objects, media_input, paging
from genvid.sandbox.heygen.dispatch import Call, Operation, Reply
from genvid.sandbox.heygen.heygen_core import HeyGenCore
from genvid.sandbox.heygen.media_input import MEGABYTE, find_asset
from genvid.sandbox.heygen.users import USERNAME
from genvid.sandbox.heygen.video_operations import MOST_IDS, check_callback, split_ids
from genvid.sandbox.store import Row

ASSETS, ASSET = "/v3/assets", "/v3/assets/{asset_id}"
LARGEST_UPLOAD = 32 * MEGABYTE
LARGEST_DIRECT = 100 * MEGABYTE
UPLOAD_LIFETIME = 3600
SPACE_ID = "space_sandbox"
STATES = {"pending_upload": "queued", "uploaded": "processing", "completed": "completed", "failed": "failed"}


async def upload(call: Call) -> Reply:
    form = await call.request.form()
    file = form.get("file")
    if not isinstance(file, UploadFile):
        refuse("file", "file is required")
    content = await file.read()
    if len(content) > LARGEST_UPLOAD:
        raise ApiError("payload_too_large", "A file may have 32 MB at most", param="file")
    data: dict[str, Any] = {}
    kind = _type_of(content, file.content_type, "file")
    return Reply(data, action=partial(_add_asset, call, data, content, file.filename or "file", kind))


def _add_asset(call: Call, data: dict[str, Any], content: bytes, name: str, mime_type: str) -> None:
    """Writes the answer into `data`."""
    asset_id = media_input.keep(call.core, content, name=name, mime_type=mime_type)
    made_objects.record(call, "asset", asset_id, name=name)
    data |= _uploaded(call, find_asset(call.core, asset_id))


def _type_of(content: bytes, claimed: str | None, param: str) -> str:
    found = media_input.sniff(content)
    claimed = media_input.ALIASES.get(claimed or "", claimed)
    if found is None:
        refuse(param, f"Content type not supported {claimed}")
    if claimed not in (None, "application/octet-stream", found):
        refuse(param, f"Content type not match {found} != {claimed}")
    return found


def _uploaded(call: Call, row: Row) -> dict[str, Any]:
    url = call.core.links.permanent(call.base, f"assets/{row['id']}")
    return {"asset_id": row["id"], "url": url, "mime_type": row["mime_type"], "size_bytes": row["size"]}


async def list_all(call: Call) -> Reply:
    rows: list[Row] = []
    if call.query["username"] == USERNAME and call.query["folder_id"] is None:
        rows = call.core.store.rows("SELECT * FROM assets WHERE listed = 1 AND status = 'completed'")
    return paging.page(call, [(row["seq"], row) for row in rows], lambda row: _show(call, row))


async def get(call: Call) -> Reply:
    return Reply(_show(call, find_asset(call.core, call.path["asset_id"])))


def _show(call: Call, row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "type": row["mime_type"].partition("/")[0],
        "owner": USERNAME,
        "space_id": SPACE_ID,
        "uploaded_at": int(row["created_at"]),
        "url": call.core.links.permanent(call.base, f"assets/{row['id']}") if row["status"] == "completed" else None,
        "folder_id": None,
    }


async def delete(call: Call) -> Reply:
    row = find_asset(call.core, call.path["asset_id"])
    call.core.store.run("DELETE FROM assets WHERE id = ?", row["id"])
    call.core.links.asset(row["id"]).unlink(missing_ok=True)
    return Reply({"id": row["id"]})


async def begin_upload(call: Call) -> Reply:
    _check_file(call.body, "")
    data: dict[str, Any] = {}
    return Reply(data, action=lambda: data.update(_begin(call, call.body)))


def _check_file(file: dict[str, Any], prefix: str) -> None:
    if not 0 < file["size_bytes"] <= LARGEST_DIRECT:
        refuse(f"{prefix}size_bytes", f"size_bytes must be between 1 and {LARGEST_DIRECT}")


def _begin(call: Call, file: dict[str, Any], batch_id: str | None = None, number: int | None = None) -> dict[str, Any]:
    asset_id = secrets.token_hex(16)
    call.core.store.add(
        "assets",
        id=asset_id,
        name=file["filename"],
        mime_type=file["content_type"],
        size=file["size_bytes"],
        checksum=file.get("checksum_sha256"),
        status="pending_upload",
        created_at=time.time(),
        batch_id=batch_id,
        item_index=number,
    )
    made_objects.record(call, "asset", asset_id, name=file["filename"])
    url = call.core.links.sign(call.base, f"uploads/{asset_id}", lifetime=UPLOAD_LIFETIME, method="PUT")
    return {
        "asset_id": asset_id,
        "upload_url": url,
        "upload_headers": {"Content-Type": file["content_type"]},
        "expires_in_seconds": UPLOAD_LIFETIME,
        "max_bytes": file["size_bytes"],
        "status": "pending_upload",
    }


async def receive(core: HeyGenCore, asset_id: str, request: Request) -> Response:
    row = core.store.row("SELECT * FROM assets WHERE id = ?", asset_id)
    content = await request.body()
    if row is None or row["status"] != "pending_upload" or len(content) != row["size"]:
        return PlainTextResponse("InvalidRequest", 400)
    path = core.links.asset(asset_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    core.store.run("UPDATE assets SET status = 'uploaded' WHERE id = ?", asset_id)
    return Response(status_code=200)


async def complete(call: Call) -> Reply:
    row = find_asset(call.core, call.path["asset_id"])
    if row["status"] == "pending_upload":
        raise ApiError("resource_not_ready", f"Asset {row['id']} has not been uploaded yet")
    if row["status"] == "uploaded":
        _accept(call.core, row, call.body.get("checksum_sha256") or row["checksum"])
    row = find_asset(call.core, row["id"])
    return Reply({**_uploaded(call, row), "status": row["status"]})


def _accept(core: HeyGenCore, row: Row, checksum: str | None) -> None:
    content = core.links.asset(row["id"]).read_bytes()
    if checksum and hashlib.sha256(content).hexdigest() != checksum.lower():
        refuse("checksum_sha256", "The checksum does not match the uploaded bytes")
    kind = _type_of(content, row["mime_type"], "content_type")
    core.store.run("UPDATE assets SET status = 'completed', mime_type = ? WHERE id = ?", kind, row["id"])


async def begin_batch(call: Call) -> Reply:
    check_callback(call.core, call.body.get("callback_url"), "callback_url")
    for number, file in enumerate(call.body["files"]):
        _check_file(file, f"files.{number}.")
    batch_id = secrets.token_hex(16)
    call.core.store.add("batches", id=batch_id, created_at=time.time())
    items = [_begin(call, file, batch_id, number) for number, file in enumerate(call.body["files"])]
    return Reply({"batch_id": batch_id, "items": items})


async def complete_batch(call: Call) -> Reply:
    batch_id = call.body["batch_id"]
    _find_batch(call, batch_id)
    for row in _members(call, batch_id):
        try:
            if row["status"] == "uploaded":
                _accept(call.core, row, row["checksum"])
        except ApiError:
            call.core.store.run("UPDATE assets SET status = 'failed' WHERE id = ?", row["id"])
    return Reply({"batch_id": batch_id}, status=202)


def _find_batch(call: Call, batch_id: str) -> Row:
    row = call.core.store.row("SELECT * FROM batches WHERE id = ?", batch_id)
    if row is None:
        raise ApiError("batch_not_found", f"Batch {batch_id} not found")
    return row


def _members(call: Call, batch_id: str) -> list[Row]:
    return call.core.store.rows("SELECT * FROM assets WHERE batch_id = ? ORDER BY item_index", batch_id)


async def get_batch(call: Call) -> Reply:
    batch = _find_batch(call, call.path["batch_id"])
    members = _members(call, batch["id"])
    shown, page = paging.cut(call, [(row["item_index"], row) for row in members])
    states = [STATES[row["status"]] for row in members]
    done = not {"queued", "processing"} & set(states)
    return Reply(
        {
            "batch_id": batch["id"],
            "status": ("completed" if "completed" in states else "failed") if done else "processing",
            "total_items": len(members),
            "counts_by_status": {state: states.count(state) for state in sorted(set(states))},
            "created_at": int(batch["created_at"]),
            "items": [_item(row) for row in shown],
            **page,
        }
    )


def _item(row: Row) -> dict[str, Any]:
    return {
        "video_id": row["id"],
        "status": STATES[row["status"]],
        "item_index": row["item_index"],
        "error": None,
    }


async def statuses(call: Call) -> Reply:
    asset_ids, batch_ids = split_ids(call.query["asset_ids"]), split_ids(call.query["batch_ids"])
    if not 1 <= len(asset_ids) + len(batch_ids) <= MOST_IDS:
        refuse("asset_ids", f"Give 1 to {MOST_IDS} ids in asset_ids and batch_ids together")
    found = []
    for asset_id in asset_ids:
        row = call.core.store.row("SELECT * FROM assets WHERE id = ?", asset_id)
        found.append(_item(row) if row else {"video_id": asset_id, "status": "not_found"})
    for batch_id in batch_ids:
        found += [_item(row) | {"batch_id": batch_id} for row in _members(call, batch_id)]
    return paging.unpaged(found)


async def search(call: Call) -> Reply:
    """HeyGen has announced it; nothing is found."""
    return paging.unpaged([])


OPERATIONS = [
    Operation("POST", ASSETS, upload),
    Operation("GET", ASSETS, list_all),
    Operation("GET", ASSETS + "/search", search),
    Operation("GET", ASSETS + "/statuses", statuses),
    Operation("GET", ASSETS + "/batches/{batch_id}", get_batch),
    Operation("POST", ASSETS + "/direct-uploads", begin_upload),
    Operation("POST", ASSETS + "/direct-uploads/batches", begin_batch),
    Operation("POST", ASSETS + "/complete/batches", complete_batch),
    Operation("POST", ASSET + "/complete", complete),
    Operation("GET", ASSET, get),
    Operation("DELETE", ASSET, delete),
]
