"""Tag video: create, read, list, delete."""

import json
import secrets
import shutil
import time
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from genvid.sandbox import faults
from genvid.sandbox.api_errors import ApiError, garbage_answer, html_answer, refuse
from genvid.sandbox.heygen import directives, events, paging, test_mode
from genvid.sandbox.heygen.dispatch import Call, Operation, Reply
from genvid.sandbox.heygen.heygen_core import HeyGenCore
from genvid.sandbox.heygen.render_plans import Plan, plan_of
from genvid.sandbox.store import Row

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_IDS = 100
SCRIPT = ("script", "prompt")


async def create(call: Call) -> Reply:
    core, body = call.core, call.body
    if core.settings.current.fail_with:
        raise ApiError(core.settings.current.fail_with, param=None)
    lost = _apply_directives(call)
    plan = await plan_of(core, test_mode.with_stand_ins(core, body) if call.is_test else body)
    if call.is_test:
        test_mode.mark(plan)
    check_callback(core, body.get("callback_url"), "callback_url")
    await faults.wait(lambda: core.settings.current.submit_seconds)
    if core.render_queue.running() >= core.settings.current.concurrency:
        raise ApiError("rate_limit_exceeded", retry_after=core.settings.current.retry_after)
    video_id = secrets.token_hex(16)
    data = {"video_id": video_id, "status": "waiting", "output_format": "mp4"}
    return Reply(data, video_id=video_id, lost=lost, action=partial(_accept, call, plan, video_id))


def _accept(call: Call, plan: Plan, video_id: str) -> None:
    body = call.body
    call.core.store.add(
        "videos",
        id=video_id,
        status="pending",
        stage="todo",
        title=body.get("title"),
        script=plan.script,
        product=body["type"],
        job=json.dumps(plan.job()),
        directives=json.dumps(plan.words),
        created_at=time.time(),
        callback_url=body.get("callback_url"),
        callback_id=body.get("callback_id"),
        folder_id=body.get("folder_id"),
        idempotency_key=call.idempotency_key,
        stale_links=plan.words.get("expired_links", 0),
        base=call.base,
    )
    call.core.render_queue.wake()


def check_callback(core: HeyGenCore, url: str | None, param: str) -> None:
    """Accepts public HTTPS as HeyGen does, and anything on this machine or its private network."""
    if url is None:
        return
    parts = urlsplit(url)
    local = parts.hostname in LOOPBACK or "." not in (parts.hostname or ".")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
        refuse(param, f"{param} must be a public HTTPS URL")


def _apply_directives(call: Call) -> bool:
    """Raises what the directives ask for. True when the answer is to be lost."""
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
    if (refusal := json.loads(video["directives"]).get("unreadable")) is not None:
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
    """In seconds; negative when this read gets expired links."""
    if video["status"] == "completed" and video["stale_links"] > 0:
        core.store.run("UPDATE videos SET stale_links = stale_links - 1 WHERE id = ?", video["id"])
        return -60.0
    if video["status"] == "completed" and (
        core.settings.consume("expired_links") or core.settings.fault_occurs("expired_link_rate")
    ):
        return -60.0
    return float(core.settings.current.link_lifetime)


def detail(call: Call, video: Row, *, lifetime: float) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": video["id"],
        "status": video["status"],
        "title": video["title"],
        "created_at": int(video["created_at"]),
        "completed_at": _seconds(video["completed_at"]),
        "duration": video["duration"],
        "folder_id": video["folder_id"],
        "video_page_url": events.page_url(video),
        **_urls(call, video, lifetime),
    }
    if video["status"] == "failed":
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
    bare_reads = json.loads(video["directives"]).get(
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
    return paging.page(call, wanted, lambda row: detail(call, row, lifetime=lifetime), newest_first=True)


async def delete(call: Call) -> Reply:
    """A render under way goes on and is charged, as at HeyGen."""
    video = find(call, call.path["video_id"])
    call.core.store.run("UPDATE videos SET deleted = 1 WHERE id = ?", video["id"])
    if video["status"] in ("completed", "failed"):
        shutil.rmtree(call.core.links.video_folder(video["id"]), ignore_errors=True)
    return Reply({"id": video["id"], "deleted": True})


async def statuses(call: Call) -> Reply:
    video_ids = split_ids(call.query["video_ids"])
    if call.query["batch_ids"]:
        refuse("batch_ids", "This sandbox takes no batches of videos")
    if not 1 <= len(video_ids) <= MOST_IDS:
        refuse("video_ids", f"Give 1 to {MOST_IDS} ids in video_ids")
    return paging.unpaged([_status_of(call, video_id) for video_id in video_ids])


def split_ids(given: str | None) -> list[str]:
    return [one.strip() for one in (given or "").split(",") if one.strip()]


def _status_of(call: Call, video_id: str) -> dict[str, Any]:
    row = call.core.store.row("SELECT * FROM videos WHERE id = ? AND deleted = 0", video_id)
    if row is None or row["created_at"] + call.core.settings.current.visible_after > time.time():
        return {"video_id": video_id, "status": "not_found"}
    failed = row["status"] == "failed"
    return {
        "video_id": row["id"],
        # This read says queued where the read of one video says pending.
        "status": "queued" if row["status"] == "pending" else row["status"],
        "error": {"code": row["failure_code"], "message": row["failure_message"]} if failed else None,
        "batch_id": None,
    }


OPERATIONS = [
    Operation("POST", "/v3/videos", create),
    Operation("GET", "/v3/videos", list_all),
    Operation("GET", "/v3/videos/statuses", statuses),
    Operation("GET", "/v3/videos/{video_id}", get),
    Operation("DELETE", "/v3/videos/{video_id}", delete),
]
