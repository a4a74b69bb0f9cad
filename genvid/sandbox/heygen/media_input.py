"""Pictures and recordings of a client, by URL, by asset id or in base64, as files."""

import base64
import binascii
import secrets
import time
from typing import Any

import httpx

from genvid.sandbox.api_errors import ApiError, refuse
from genvid.sandbox.heygen.heygen_core import HeyGenCore
from genvid.sandbox.store import Row

FETCH_TIMEOUT = 20.0
MEGABYTE = 1024 * 1024
LARGEST = {
    "image": 50 * MEGABYTE,
    "audio": 50 * MEGABYTE,
    "video": 100 * MEGABYTE,
    "application": 32 * MEGABYTE,
}

_MAGIC_BYTES = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"ftyp", 4, "video/mp4"),
    (b"\x1aE\xdf\xa3", 0, "video/webm"),
    (b"WAVE", 8, "audio/wav"),
    (b"ID3", 0, "audio/mpeg"),
    (b"\xff\xfb", 0, "audio/mpeg"),
    (b"\xff\xf3", 0, "audio/mpeg"),
    (b"%PDF", 0, "application/pdf"),
)
ALIASES = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
}


def sniff(content: bytes) -> str | None:
    for mark, offset, kind in _MAGIC_BYTES:
        if content[offset : offset + len(mark)] == mark:
            return kind
    return None


async def local_file(core: HeyGenCore, given: dict[str, Any], *, param: str, kind: str) -> str:
    """The id of an asset with the media, which must be of this kind: image, audio or video."""
    if given["type"] == "asset_id":
        return ready_asset(core, given["asset_id"], kind=kind, param=param)["id"]  # type: ignore[no-any-return]
    if given["type"] == "base64":
        content = _decoded(given["data"], param)
    else:
        content = await _fetched(given["url"], param, LARGEST[kind])
    found = sniff(content)
    if found is None or not found.startswith(kind + "/"):
        code = "download_failed" if given["type"] == "url" else "invalid_parameter"
        raise ApiError(code, f"The {param} is not {kind} that can be read (found {found})", param=param)
    return keep(core, content, name=f"{param}.{found.partition('/')[2]}", mime_type=found, listed=False)


def keep(core: HeyGenCore, content: bytes, *, name: str, mime_type: str, listed: bool = True) -> str:
    asset_id = secrets.token_hex(16)
    path = core.links.asset(asset_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    core.store.add(
        "assets",
        id=asset_id,
        name=name,
        mime_type=mime_type,
        size=len(content),
        status="completed",
        created_at=time.time(),
        listed=listed,
    )
    return asset_id


def find_asset(core: HeyGenCore, asset_id: str) -> Row:
    row = core.store.row("SELECT * FROM assets WHERE id = ?", asset_id)
    if row is None:
        raise ApiError("asset_not_found", f"Asset {asset_id} not found")
    return row


def ready_asset(core: HeyGenCore, asset_id: str, *, kind: str, param: str) -> Row:
    row = find_asset(core, asset_id)
    if row["status"] != "completed":
        raise ApiError("resource_not_ready", f"Asset {asset_id} is {row['status']}", param=param)
    if not row["mime_type"].startswith(kind + "/"):
        refuse(param, f"Asset {asset_id} is {row['mime_type']}, not {kind}")
    return row


def _decoded(data: str, param: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        refuse(f"{param}.data", "data is not valid base64")


async def _fetched(url: str, param: str, largest: int) -> bytes:
    content = bytearray()
    try:
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=True, timeout=FETCH_TIMEOUT) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > largest:
                    raise ApiError("payload_too_large", f"{url} is over {largest} bytes", param=param)
    except httpx.TimeoutException:
        raise ApiError("gateway_timeout", f"Timed out fetching {url}", param=param) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        reason = f"Failed to download {url}: {type(error).__name__}"
        raise ApiError("download_failed", reason, param=param) from error
    return bytes(content)
