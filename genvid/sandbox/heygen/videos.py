"""Tag video: create, read, list, delete."""

import asyncio
import json
import secrets
import shutil
import time
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from genvid.sandbox.errors import ApiError, garbage_answer, html_answer, refuse
from genvid.sandbox.heygen import directives, events, pages, test_mode
from genvid.sandbox.heygen.calls import Call, Operation, Reply
from genvid.sandbox.heygen.core import HeyGenCore
from genvid.sandbox.heygen.plans import Plan, plan_of
from genvid.sandbox.store import Row

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_IDS = 100
SCRIPT = ("script", "prompt")


@dataclass(frozen=True)
class Place:
    """Where in a batch a video stands; a video of its own stands nowhere."""

    batch_id: str | None = None
    item_index: int | None = None
    callback_url: str | None = None


async def create(call: Call) -> Reply:
    core, body = call.core, call.body
    if core.settings.current.fail_with:
        raise ApiError(core.settings.current.fail_with, param=None)
    lost = _apply_directives(call)
    plan = await plan_of(core, test_mode.recast(core, body) if call.is_test else body)
    if call.is_test:
        test_mode.mark(plan)
    check_callback(core, body.get("callback_url"), "callback_url")
    await _take_time(core)
    if core.render_queue.running() >= core.settings.current.concurrency:
        raise ApiError("rate_limit_exceeded", retry_after=core.settings.current.retry_after)
    video_id = secrets.token_hex(16)
    data = {"video_id": video_id, "status": "waiting", "output_format": "mp4"}
    return Reply(data, video_id=video_id, lost=lost, action=partial(accept, call, body, plan, Place(), video_id))


async def _take_time(core: HeyGenCore) -> None:
    """Waits for `submit_seconds`. Lowering the setting ends the wait."""
    begun = time.monotonic()
    while (left := begun + core.settings.current.submit_seconds - time.monotonic()) > 0:
        await asyncio.sleep(min(left, 0.05))


def accept(call: Call, body: dict[str, Any], plan: Plan, place: Place, video_id: str) -> None:
    """Stores a video and wakes the render queue."""
    call.core.store.add(
        "videos",
        id=video_id,
        status="pending" if place.batch_id is None else "queued",
        stage="todo",
        title=body.get("title"),
        script=plan.script,
        product=body["type"],
        job=json.dumps(plan.job()),
        magic=json.dumps(plan.words),
        created_at=time.time(),
        callback_url=body.get("callback_url"),
        callback_id=body.get("callback_id"),
        folder_id=body.get("folder_id"),
        idempotency_key=call.idempotency_key,
        batch_id=place.batch_id,
        item_index=place.item_index,
        stale_links=plan.words.get("expired_links", 0),
        base=call.base,
    )
    call.core.render_queue.wake()


def check_callback(core: HeyGenCore, url: str | None, param: str) -> None:
    """Public HTTPS as at HeyGen, or anything on this machine or in its private network."""
    if url is None:
        return
    parts = urlsplit(url)
    local = parts.hostname in LOOPBACK or "." not in (parts.hostname or ".")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
        refuse(param, f"{param} must be a public HTTPS URL")


def _apply_directives(call: Call) -> bool:
    """Applies the directives for the submission itself. True when its answer is to be lost."""
    script = next((call.body[name] for name in SCRIPT if call.body.get(name)), "")
    _, words = directives.split(script)
    given = {word: argument for word, argument in words.items() if word in directives.AT_SUBMIT}
    if not given:
        return False
    seen = call.core.store.count("submits", "script", call.idempotency_key or script)
    for word, argument in given.items():
        _apply_directive(call.core, word, argument, seen)
    return "lost" in given and seen <= directives.times(given["lost"])


def _apply_directive(core: HeyGenCore, word: str, argument: str, seen: int) -> None:
    if word == "refuse":
        raise ApiError(argument or "content_policy_violation")
    status, _, count = argument.partition(":") if word == "error" else ("", "", argument)
    if seen > directives.times(count):
        return
    if word == "ratelimit":
        raise ApiError("rate_limit_exceeded", retry_after=core.settings.current.retry_after)
    if word == "error":
        raise ApiError(directives.code_for(status))
    if word == "html":
        raise html_answer()
    if word == "garbage":
        raise garbage_answer()


async def get(call: Call) -> Reply:
    core, video = call.core, find(call, call.path["video_id"])
    if video["created_at"] + core.settings.current.visible_after > time.time():
        raise ApiError("video_not_found", f"Video {video['id']} not found")
    if (refusal := json.loads(video["magic"]).get("unreadable")) is not None:
        raise ApiError(refusal)
    if video["status"] == "completed":
        core.store.run("UPDATE videos SET reads = reads + 1 WHERE id = ?", video["id"])
    shown = detail(call, video, lifetime=_lifetime(core, video))
    return Reply(shown)


def find(call: Call, video_id: str) -> Row:
    video = call.core.store.row("SELECT * FROM videos WHERE id = ? AND deleted = 0", video_id)
    if video is None:
        raise ApiError("video_not_found", f"Video {video_id} not found")
    return video


def _lifetime(core: HeyGenCore, video: Row) -> float:
    """Seconds that this read's links live; negative when the read is one of those that get expired links."""
    if video["status"] == "completed" and video["stale_links"] > 0:
        core.store.run("UPDATE videos SET stale_links = stale_links - 1 WHERE id = ?", video["id"])
        return -60.0
    if video["status"] == "completed" and (
        core.settings.use_up("expired_links") or core.settings.fault_occurs("expired_link_rate")
    ):
        return -60.0
    return float(core.settings.current.link_lifetime)


def detail(call: Call, video: Row, *, lifetime: float) -> dict[str, Any]:
    status = "pending" if video["status"] == "queued" else video["status"]
    shown: dict[str, Any] = {
        "id": video["id"],
        "status": status,
        "title": video["title"],
        "created_at": int(video["created_at"]),
        "completed_at": _seconds(video["completed_at"]),
        "duration": video["duration"],
        "folder_id": video["folder_id"],
        "video_page_url": events.page_url(video),
        **_urls(call, video, lifetime),
    }
    if status == "failed":
        shown |= {"failure_code": video["failure_code"], "failure_message": video["failure_message"]}
    return shown


def _seconds(moment: float | None) -> int | None:
    return None if moment is None else int(moment)


def _urls(call: Call, video: Row, lifetime: float) -> dict[str, str | None]:
    names = {
        "video_url": "video",
        "captioned_video_url": "captioned",
        "subtitle_url": "subtitles",
        "thumbnail_url": "thumbnail",
        "gif_url": "gif",
    }
    files: dict[str, str] = {}
    bare_reads = json.loads(video["magic"]).get(
        "completed_without_url", call.core.settings.current.completed_without_url
    )
    if video["status"] == "completed" and video["reads"] >= bare_reads:
        files = json.loads(video["made"])["files"]
    sign = call.core.links.sign
    return {
        field: sign(call.base, f"videos/{video['id']}/{files[kind]}", lifetime=lifetime) if kind in files else None
        for field, kind in names.items()
    }


async def list_all(call: Call) -> Reply:
    if call.query["title"] == "":
        refuse("title", "title must have at least 1 character")
    title, folder = call.query["title"], call.query["folder_id"]
    rows = call.core.store.rows("SELECT * FROM videos WHERE deleted = 0 ORDER BY seq DESC")
    wanted = [
        (row["seq"], row)
        for row in rows
        if (title is None or title in (row["title"] or "")) and folder in (None, row["folder_id"])
    ]
    lifetime = float(call.core.settings.current.link_lifetime)
    return pages.page(call, wanted, lambda row: detail(call, row, lifetime=lifetime), newest_first=True)


async def delete(call: Call) -> Reply:
    """Hides the video at once. A render under way goes on and is charged, as at HeyGen."""
    video = find(call, call.path["video_id"])
    call.core.store.run("UPDATE videos SET deleted = 1 WHERE id = ?", video["id"])
    if video["status"] in ("completed", "failed"):
        shutil.rmtree(call.core.links.video_folder(video["id"]), ignore_errors=True)
    return Reply({"id": video["id"], "deleted": True})


async def statuses(call: Call) -> Reply:
    video_ids, batch_ids = split_ids(call.query["video_ids"]), split_ids(call.query["batch_ids"])
    if not 1 <= len(video_ids) + len(batch_ids) <= MOST_IDS:
        refuse("video_ids", f"Give 1 to {MOST_IDS} ids in video_ids and batch_ids together")
    found = [_status_of(call, video_id) for video_id in video_ids]
    for batch_id in batch_ids:
        sql = "SELECT * FROM videos WHERE batch_id = ? ORDER BY item_index"
        found += [item(row) | {"batch_id": batch_id} for row in call.core.store.rows(sql, batch_id)]
    return pages.unpaged(found)


def split_ids(given: str | None) -> list[str]:
    return [one.strip() for one in (given or "").split(",") if one.strip()]


def _status_of(call: Call, video_id: str) -> dict[str, Any]:
    row = call.core.store.row("SELECT * FROM videos WHERE id = ? AND deleted = 0", video_id)
    if row is None or row["created_at"] + call.core.settings.current.visible_after > time.time():
        return {"video_id": video_id, "status": "not_found"}
    shown = item(row)
    if row["batch_id"] is None:
        shown.pop("item_index")
    return shown | {"batch_id": row["batch_id"]}


def item(row: Row) -> dict[str, Any]:
    """A video as the batch and statuses reads show it."""
    error = None
    if row["status"] == "failed":
        error = {"code": row["failure_code"], "message": row["failure_message"]}
    shown = {"video_id": row["id"], "status": events.batch_status(row["status"]), "error": error}
    return shown | {"item_index": row["item_index"]}


OPERATIONS = [
    Operation("POST", "/v3/videos", create),
    Operation("GET", "/v3/videos", list_all),
    Operation("GET", "/v3/videos/statuses", statuses),
    Operation("GET", "/v3/videos/{video_id}", get),
    Operation("DELETE", "/v3/videos/{video_id}", delete),
]
