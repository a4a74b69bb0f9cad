"""Renders accepted videos in their order: pending, processing, then completed or failed."""

import asyncio
import json
import logging
import shutil
import time
from collections.abc import Sequence
from random import Random
from typing import Any

from genvid.sandbox.api_errors import message_of
from genvid.sandbox.heygen import events
from genvid.sandbox.heygen.heygen_sender import HeyGenSender
from genvid.sandbox.heygen.wallet import Wallet
from genvid.sandbox.render_worker.handle import TaskFailed, WorkerHandle
from genvid.sandbox.runtime_settings import StoredSettings
from genvid.sandbox.signed_links import Links
from genvid.sandbox.store import Row, Store

log = logging.getLogger(__name__)

# A video's stage is what the render queue knows of it: todo -> making -> made -> done, or held when it is stuck.
NEXT = """
SELECT * FROM videos WHERE stage = 'todo' AND status IN ('pending', 'processing') ORDER BY seq LIMIT 1
"""
NO_CREDIT = "MOVIO_PAYMENT_INSUFFICIENT_CREDIT"


class RenderQueue:
    def __init__(
        self,
        store: Store,
        settings: StoredSettings,
        links: Links,
        wallet: Wallet,
        sender: HeyGenSender,
        workers: Sequence[WorkerHandle],
    ) -> None:
        self._store, self._settings, self._links = store, settings, links
        self._wallet, self._sender, self._workers = wallet, sender, workers
        self._wake_events = [asyncio.Event() for _ in workers]
        self._timers: set[asyncio.Task[None]] = set()
        self._previews: list[Row] = []

    def start(self) -> list[asyncio.Task[None]]:
        """Starts the workers and resumes what was under way when the process ended."""
        self._store.run("UPDATE videos SET stage = 'todo' WHERE stage = 'making'")
        for video in self._store.rows("SELECT id FROM videos WHERE stage = 'made'"):
            self._finish_in_time(video["id"])
        return [asyncio.create_task(self._work(n)) for n in range(len(self._workers))]

    def wake(self) -> None:
        for wake_event in self._wake_events:
            wake_event.set()

    def warm_up(self, previews: list[Row]) -> None:
        self._previews = previews
        self.wake()

    def running(self) -> int:
        return int(self._store.value("SELECT COUNT(*) FROM videos WHERE status IN ('pending', 'processing')") or 0)

    def release(self, video_id: str) -> bool:
        video = self._store.row("SELECT directives FROM videos WHERE id = ? AND stage <> 'done'", video_id)
        if video is None:
            return False
        words = json.dumps({**json.loads(video["directives"]), "stuck": False, "render_seconds": 0})
        self._store.run("UPDATE videos SET directives = ? WHERE id = ?", words, video_id)
        self._store.run("UPDATE videos SET stage = 'todo' WHERE id = ? AND stage = 'held'", video_id)
        self._finish_in_time(video_id)
        self.wake()
        return True

    def fail(self, video_id: str, code: str, message: str | None = None) -> bool:
        sql = """UPDATE videos SET status = 'failed', stage = 'done', failure_code = ?, failure_message = ?,
                 completed_at = ? WHERE id = ? AND status IN ('pending', 'processing')"""
        with self._store.together():
            failed = self._store.run(sql, code, message or message_of(code), time.time(), video_id) == 1
            if failed:
                self._announce(video_id)
        return failed

    async def _work(self, number: int) -> None:
        wake_event, worker = self._wake_events[number], self._workers[number]
        while True:
            wake_event.clear()
            video = self._store.row(NEXT)
            if video is not None:
                await self._make(video, worker)
            elif self._previews:
                await self._draw_preview(self._previews.pop(0), worker)
            else:
                await wake_event.wait()

    async def _make(self, video: Row, worker: WorkerHandle) -> None:
        settings = self._settings_of(video)
        job = json.loads(video["job"])
        if self._wallet.balance < job["estimate"]:
            self.fail(video["id"], NO_CREDIT)
            return
        stage = "held" if settings["stuck"] else "making"
        begin = """UPDATE videos SET status = 'processing', stage = ?, started_at = COALESCE(started_at, ?)
                   WHERE id = ?"""
        self._store.run(begin, stage, time.time(), video["id"])
        if stage == "making":
            made = {"failure": settings["failure_code"], "message": settings["failure_message"]}
            await self._finish(video["id"], made if settings["failure_code"] else await self._film(video, worker))

    def _settings_of(self, video: Row) -> dict[str, Any]:
        return {**self._settings.as_json(), **json.loads(video["directives"])}

    async def _film(self, video: Row, worker: WorkerHandle) -> Row:
        folder = self._links.video_folder(video["id"])
        task = {"task": "video", "folder": str(folder), "renderer": self._settings.current.renderer}
        task["canned_folder"] = str(self._links.folder / "canned")
        try:
            return await worker.run({**task, "scenes": json.loads(video["job"])["scenes"]})
        except TaskFailed as failure:
            return {"failure": failure.code, "message": failure.message}
        except OSError as failure:
            return {"failure": "rendering_failed", "message": str(failure)}

    async def _finish(self, video_id: str, made: Row) -> None:
        sql = "UPDATE videos SET stage = 'made', made = ? WHERE id = ? AND stage = 'making'"
        self._store.run(sql, json.dumps(made), video_id)
        self._finish_in_time(video_id)

    def _finish_in_time(self, video_id: str) -> None:
        timer = asyncio.create_task(self._settle_when_due(video_id))
        self._timers.add(timer)
        timer.add_done_callback(self._timers.discard)

    async def _settle_when_due(self, video_id: str) -> None:
        video = self._store.row("SELECT * FROM videos WHERE id = ? AND stage = 'made'", video_id)
        if video is None:  # not made yet, or settled by somebody else
            return
        settings = self._settings_of(video)
        due = video["started_at"] + settings["render_seconds"] * spread_factor(video["id"], settings["render_spread"])
        if due > time.time():
            await asyncio.sleep(due - time.time())
        self._settle(video, json.loads(video["made"]))

    def _settle(self, video: Row, made: Row) -> None:
        if "failure" in made:
            self.fail(video["id"], made["failure"], made["message"])
            return
        cost = cost_of(json.loads(video["job"]), made["duration"])
        sql = """UPDATE videos SET status = 'completed', stage = 'done', completed_at = ?, duration = ?,
                 charged = ? WHERE id = ? AND status = 'processing'"""
        with self._store.together():
            if not self._store.run(sql, time.time(), made["duration"], cost, video["id"]):
                return
            self._wallet.charge(cost)
            self._announce(video["id"])

    def _announce(self, video_id: str) -> None:
        video = self._store.row("SELECT * FROM videos WHERE id = ?", video_id)
        if video is not None and not video["deleted"]:
            self._sender.send(events.of_video(video, self._links), mode=self._settings_of(video)["webhooks"])
        elif video is not None:
            shutil.rmtree(self._links.video_folder(video_id), ignore_errors=True)
        self.wake()

    async def _draw_preview(self, task: Row, worker: WorkerHandle) -> None:
        try:
            await worker.run(task)
        except TaskFailed as failure:
            log.warning("No preview %s: %s", task.get("path"), failure.message)


def spread_factor(video_id: str, spread: float) -> float:
    """A lognormal factor with this sigma. The id seeds it, so that it is the same after a restart."""
    return Random(video_id).lognormvariate(0, spread) if spread else 1.0


def cost_of(job: Row, duration: float) -> int:
    return int(job["fixed"] if job["fixed"] is not None else round(job["rate"] * duration))
