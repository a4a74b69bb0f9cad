"""Copies files to HeyGen: small ones in one call, larger ones straight to its storage (HeyGen v3, assets)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import structlog

from genvid import http
from genvid.heygen import wire
from genvid.heygen.heygen_errors import HeyGenError, LinkExpired, Unknown
from genvid.heygen.transport import Call, Transport

logger = structlog.get_logger(__name__)
MOST_IN_ONE_CALL = 32 * 1024**2
BYTES_A_SECOND = 1024**2
"""The slowest sending that is waited for."""


@dataclass(frozen=True)
class NewAsset:
    file: BinaryIO
    name: str
    content_type: str
    size: int
    idempotency_key: str


def create(transport: Transport, new: NewAsset, timeout: float, *, allow_private: bool) -> str:
    if new.size <= MOST_IN_ONE_CALL:
        return _create_in_one_call(transport, new, timeout)
    return _create_in_parts(transport, new, timeout, allow_private=allow_private)


def _create_in_one_call(transport: Transport, new: NewAsset, timeout: float) -> str:
    form = http.FormFile("file", new.file, name=new.name, size=new.size, media_type=new.content_type)
    call = Call("create_asset", "POST", "/v3/assets", timeout, idempotency_key=new.idempotency_key, file=form)
    return _asset_id(_data_of(transport.call(call)))


def _create_in_parts(transport: Transport, new: NewAsset, timeout: float, *, allow_private: bool) -> str:
    """A repetition gets the upload link of the first try again; one that was used already refuses the bytes."""
    said = {"filename": new.name, "content_type": new.content_type, "size_bytes": new.size}
    begin = Call(
        "begin_asset", "POST", "/v3/assets/direct-uploads", timeout, json=said, idempotency_key=new.idempotency_key
    )
    direct = _data_of(transport.call(begin))
    asset_id = _asset_id(direct)
    refusal = _send_bytes(new, direct, timeout, allow_private=allow_private)
    complete = Call("complete_asset", "POST", f"/v3/assets/{asset_id}/complete", timeout, json={})
    try:
        transport.call(complete)
    except HeyGenError as error:
        raise (refusal or error) from error
    return asset_id


def _send_bytes(new: NewAsset, direct: Mapping[str, Any], timeout: float, *, allow_private: bool) -> HeyGenError | None:
    """The error of an answer that is not a success. Raises Unknown where none came."""
    url, headers = wire.read_text(direct, "upload_url"), direct.get("upload_headers")
    named = {str(k): str(v) for k, v in headers.items()} if isinstance(headers, dict) else {}
    try:
        answer = http.send(
            "PUT",
            url,
            timeout=timeout + new.size / BYTES_A_SECOND,
            allow_private=allow_private,
            headers=named,
            body=new.file,
        )
    except http.HttpError as error:
        logger.warning("heygen_asset_not_sent", error=type(error).__name__)
        raise Unknown(type(error).__name__, "the bytes of an asset were not sent") from error
    if 200 <= answer.status < 300:
        return None
    # The link is that of the first try with this key. The key is good for 24 hours, the link maybe for less.
    return LinkExpired("link_expired", status=answer.status)


def _data_of(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    data = envelope["data"]
    if not isinstance(data, dict):
        raise Unknown("unreadable", "data is not an object")
    return data


def _asset_id(data: Mapping[str, Any]) -> str:
    asset_id = wire.read_text(data, "asset_id")
    if not asset_id.strip("."):
        raise Unknown("unreadable", "asset_id is missing")
    return asset_id
