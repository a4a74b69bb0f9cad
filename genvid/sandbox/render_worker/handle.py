"""The server's side of a render process: starts it, gives it one task at a time, notices when it dies."""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

LONGEST_LINE = 8 * 1024 * 1024


class TaskFailed(Exception):
    """`code` is one that a video can fail with."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class WorkerHandle:
    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def run(self, task: dict[str, Any]) -> dict[str, Any]:
        async with self._lock:
            answer = await self._ask(task) or await self._ask(task)
        if answer is None:
            raise TaskFailed("rendering_failed", "The render process died twice on this job")
        if "error" in answer:
            raise TaskFailed(answer["error"], answer["message"])
        return answer

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _ask(self, task: dict[str, Any]) -> dict[str, Any] | None:
        process = await self._running()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
        try:
            process.stdin.write(json.dumps(task).encode() + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        except ConnectionError:
            line = b""
        except asyncio.CancelledError:
            # A task left half-way would answer to the next one.
            await self.stop()
            raise
        if not line:
            await process.wait()
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            with self._log.open("ab") as log:
                # A session of its own, so that Ctrl-C in the terminal reaches the parent alone.
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "genvid.sandbox.render_worker.worker_process",
                    str(os.getpid()),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    limit=LONGEST_LINE,
                    start_new_session=True,
                )
        return self._process
