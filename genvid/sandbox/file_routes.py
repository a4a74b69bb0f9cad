"""`/files/…`: signed downloads and uploads, and previews drawn on first sight. No key is asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from genvid.sandbox import faults
from genvid.sandbox.heygen import assets, consent_page
from genvid.sandbox.heygen.heygen_core import HeyGenCore
from genvid.sandbox.render_worker.handle import TaskFailed
from genvid.sandbox.renderer.personas import PERSONAS
from genvid.sandbox.renderer.voice_profiles import VOICES
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
    return [
        Route("/files/previews/{name}", partial(_preview, core, asyncio.Lock())),
        Route("/files/assets/{asset_id}", partial(_asset, core)),
        Route("/files/{path:path}", partial(_signed, core), methods=["GET", "POST", "PUT"]),
    ]


async def _preview(core: HeyGenCore, drawing: asyncio.Lock, request: Request) -> Response:
    task = preview_task(core, request.path_params["name"])
    if task is None:
        return _missing()
    path = Path(task["path"])
    async with drawing:
        try:
            if not path.exists():
                await core.interactive_worker.run(task)
        except TaskFailed:
            return _missing()
    return FileResponse(path, media_type=MEDIA_TYPES[path.suffix])


async def _asset(core: HeyGenCore, request: Request) -> Response:
    row = core.store.row("SELECT * FROM assets WHERE id = ?", request.path_params["asset_id"])
    if row is None or row["status"] != "completed":
        return _missing()
    return FileResponse(core.links.asset(row["id"]), media_type=row["mime_type"])


async def _signed(core: HeyGenCore, request: Request) -> Response:
    path: str = request.path_params["path"]
    is_consent = path.startswith("consent/")
    method = "GET" if request.method == "HEAD" or is_consent else request.method
    query = request.query_params
    if not core.links.allows(method, path, query.get("Expires", ""), query.get("Signature", "")):
        return Response(CLOUDFRONT_403, 403, media_type="application/xml")
    if is_consent:
        return consent_page.answer(core, Path(path).name, agrees=request.method == "POST")
    if method == "PUT":
        return await assets.receive(core, Path(path).name, request)
    file = core.links.folder / path
    if not file.is_file():
        return _missing()
    settings, is_video = core.settings, path.startswith("videos/")
    if is_video and (settings.consume("truncate_downloads") or settings.fault_occurs("truncate_rate")):
        return _interrupted(file, partial(_hang_up, request))
    if is_video and settings.current.download_seconds:
        return _interrupted(file, partial(faults.wait, lambda: settings.current.download_seconds))
    return FileResponse(file, media_type=MEDIA_TYPES.get(file.suffix))


def preview_task(core: HeyGenCore, name: str) -> Row | None:
    """None if there is no such preview."""
    path = core.links.folder / "previews" / name
    if path.stem not in (VOICES if path.suffix == ".wav" else PERSONAS) or path.suffix not in PREVIEW_TASKS:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    return {"task": PREVIEW_TASKS[path.suffix], "key": path.stem, "path": str(path)}


def images_to_draw(core: HeyGenCore) -> list[Row]:
    tasks = [preview_task(core, f"{key}.jpg") for key in PERSONAS]
    return [task for task in tasks if task is not None and not Path(task["path"]).exists()]


def _missing() -> Response:
    return PlainTextResponse("Not Found", 404)


async def _hang_up(request: Request) -> None:
    await asyncio.sleep(0.05)  # so that the half is on its way before the line goes dead
    request.state.drop()


def _interrupted(file: Path, interruption: Callable[[], Awaitable[None]]) -> Response:
    """Sends the first half, awaits the interruption and sends the rest, with the headers of the whole file."""
    content = file.read_bytes()

    async def halves() -> AsyncIterator[bytes]:
        yield content[: len(content) // 2]
        await interruption()
        yield content[len(content) // 2 :]

    whole = FileResponse(file, stat_result=file.stat())
    headers = {"Content-Length": str(len(content)), "ETag": whole.headers["etag"], "Accept-Ranges": "bytes"}
    return StreamingResponse(halves(), headers=headers, media_type=MEDIA_TYPES.get(file.suffix))
