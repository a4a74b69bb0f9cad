"""`/files/…`: signed downloads and uploads, and previews drawn on first sight. No key is asked."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from genvid.sandbox.heygen import assets
from genvid.sandbox.heygen.core import HeyGenCore
from genvid.sandbox.render_worker.handle import TaskFailed
from genvid.sandbox.renderer.catalogue import PERSONAS, VOICES
from genvid.sandbox.store import Row

PREVIEW_TASKS = {".jpg": "preview_image", ".mp4": "preview_video", ".wav": "voice_sample"}
MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".srt": "application/x-subrip",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".wav": "audio/wav",
}
CLOUDFRONT_403 = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>'


def routes(core: HeyGenCore) -> list[Route]:
    drawing = asyncio.Lock()

    async def preview(request: Request) -> Response:
        name = request.path_params["name"]
        task = preview_task(core, name)
        if task is None:
            return _missing()
        async with drawing:
            try:
                if not Path(task["path"]).exists():
                    await core.interactive_worker.do(task)
            except TaskFailed:
                return _missing()
        return FileResponse(task["path"], media_type=MEDIA_TYPES.get(Path(name).suffix))

    async def asset(request: Request) -> Response:
        row = core.store.row("SELECT * FROM assets WHERE id = ?", request.path_params["asset_id"])
        if row is None or row["status"] != "completed":
            return _missing()
        return FileResponse(core.links.asset(row["id"]), media_type=row["mime_type"])

    async def signed(request: Request) -> Response:
        path = request.path_params["path"]
        if not _allowed(core, request, path):
            return Response(CLOUDFRONT_403, 403, media_type="application/xml")
        file = core.links.folder / path
        if not file.is_file():
            return _missing()
        if path.startswith("videos/") and _breaks_off(core):
            return _truncated(request, file)
        if path.startswith("videos/") and core.settings.current.download_seconds:
            return _paused(core, file)
        return FileResponse(file, media_type=MEDIA_TYPES.get(file.suffix))

    async def upload(request: Request) -> Response:
        path = request.path_params["path"]
        if not _allowed(core, request, path):
            return Response(CLOUDFRONT_403, 403, media_type="application/xml")
        return await assets.receive(core, Path(path).name, request)

    return [
        Route("/files/previews/{name}", preview),
        Route("/files/assets/{asset_id}", asset),
        Route("/files/{path:path}", signed, methods=["GET"]),
        Route("/files/{path:path}", upload, methods=["PUT"]),
    ]


def preview_task(core: HeyGenCore, name: str) -> Row | None:
    """What draws a preview, or None when there is no such thing to draw."""
    path = core.links.folder / "previews" / name
    kind, key = PREVIEW_TASKS.get(path.suffix), path.stem
    if kind == "voice_sample" and key in VOICES:
        task = {"task": kind, "voice": key}
    elif kind in ("preview_image", "preview_video") and key in PERSONAS:
        task = {"task": kind, "persona": key}
    else:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    return task | {"path": str(path)}


def images_to_draw(core: HeyGenCore) -> list[Row]:
    tasks = [preview_task(core, f"{key}.jpg") for key in PERSONAS]
    return [task for task in tasks if task is not None and not Path(task["path"]).exists()]


def _allowed(core: HeyGenCore, request: Request, path: str) -> bool:
    query = request.query_params
    method = "GET" if request.method == "HEAD" else request.method
    return core.links.allows(method, path, query.get("Expires", ""), query.get("Signature", ""))


def _breaks_off(core: HeyGenCore) -> bool:
    return core.settings.use_up("truncate_downloads") or core.settings.fault_occurs("truncate_rate")


def _missing() -> Response:
    return PlainTextResponse("Not Found", 404)


def _truncated(request: Request, file: Path) -> Response:
    """Promises the whole file, sends half of it and hangs up."""
    content = file.read_bytes()

    async def half() -> AsyncIterator[bytes]:
        yield content[: len(content) // 2]
        await asyncio.sleep(0.05)  # so that the half is on its way before the line goes dead
        request.state.drop()

    return _streamed(file, half())


def _paused(core: HeyGenCore, file: Path) -> Response:
    """Sends one half, waits for `download_seconds`, and sends the other."""
    content = file.read_bytes()

    async def halves() -> AsyncIterator[bytes]:
        yield content[: len(content) // 2]
        begun = time.monotonic()
        while (left := begun + core.settings.current.download_seconds - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.05))
        yield content[len(content) // 2 :]

    return _streamed(file, halves())


def _streamed(file: Path, pieces: AsyncIterator[bytes]) -> Response:
    """With the headers of the whole file."""
    whole = FileResponse(file, stat_result=file.stat())
    headers = {"Content-Length": str(file.stat().st_size), "ETag": whole.headers["etag"], "Accept-Ranges": "bytes"}
    return StreamingResponse(pieces, headers=headers, media_type=MEDIA_TYPES.get(file.suffix))
