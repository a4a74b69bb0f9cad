"""HeyGen's JSON to and from our types. A missing or malformed optional field reads as absent, never as an error.

Fields and values: HeyGen v3, API reference (videos, avatar looks, voices, users, webhook endpoints).
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import structlog

from genvid.heygen.failures import failure_of_video
from genvid.heygen.heygen_types import (
    Background,
    Failure,
    Look,
    ProviderAccount,
    RemoteVideo,
    RemoteVoice,
    RenderSpec,
    RenderState,
    WebhookEndpoint,
)

logger = structlog.get_logger(__name__)

Json = Mapping[str, Any]

# POST answers, video details, batch statuses and v1 each use other words for the same thing.
STATES: Mapping[str, RenderState] = {
    "waiting": RenderState.QUEUED,
    "pending": RenderState.QUEUED,
    "queued": RenderState.QUEUED,
    "processing": RenderState.RUNNING,
    "running": RenderState.RUNNING,
    "completed": RenderState.COMPLETED,
    "failed": RenderState.FAILED,
    "not_found": RenderState.NOT_FOUND,
}


def clean(text: str) -> str:
    """Without NUL and lone surrogates, which PostgreSQL refuses."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def read_text(raw: Json, *names: str) -> str:
    for name in names:
        value = raw.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and (text := clean(str(value))):
            return text
    return ""


def read_link(raw: Json, name: str) -> str | None:
    link = read_text(raw, name)
    return link if link.startswith(("https://", "http://")) else None


def read_object(raw: Json, name: str) -> Json:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def read_list(raw: Json, name: str) -> list[Any]:
    value = raw.get(name)
    return value if isinstance(value, list) else []


def read_number(raw: Json, name: str) -> float | None:
    """A finite number that is not negative, else None. Durations cost money: anything doubtful is absent."""
    value = raw.get(name)
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def read_time(raw: Json, name: str) -> datetime | None:
    """HeyGen's videos carry unix seconds."""
    seconds = read_number(raw, name)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def read_words(raw: Json, name: str) -> tuple[str, ...]:
    return tuple(clean(word) for word in read_list(raw, name) if isinstance(word, str))


def read_state(word: str) -> RenderState:
    """An unknown word is never an end: a new intermediate status must not fail or finish a video."""
    state = STATES.get(word.lower())
    if state is None:
        logger.warning("heygen_unknown_status", status=word)
    return state or RenderState.RUNNING


def write_spec(spec: RenderSpec, callback_id: str) -> dict[str, Any]:
    """The body of POST /v3/videos. Each arm's schema is closed, so only requested fields are sent.

    Captions are always requested, for the SRT file beside the video; only with a style are they burned in.
    """
    subject = _write_picture(spec) if spec.picture_asset_id else _write_avatar(spec)
    caption = {"file_format": "srt"} | ({"style": "default"} if spec.burn_captions else {})
    voice = {"speed": spec.speed, "locale": spec.locale}
    fields: dict[str, Any] = {
        **subject,
        "script": spec.script,
        "audio_asset_id": spec.audio_asset_id,
        "voice_id": spec.voice_id,
        "title": spec.title,
        "aspect_ratio": spec.format,
        "resolution": spec.resolution,
        "caption": caption,
        "background": _write_background(spec.background) if spec.background else None,
        "voice_settings": _without_empty(voice) or None,
        "callback_id": callback_id,
    }
    return _without_empty(fields)


def _write_avatar(spec: RenderSpec) -> Json:
    return {"type": "avatar", "avatar_id": spec.avatar_id, "engine": {"type": spec.engine} if spec.engine else None}


def _write_picture(spec: RenderSpec) -> Json:
    """Any uploaded image. HeyGen chooses the engine: this arm takes none."""
    return {"type": "image", "image": {"type": "asset_id", "asset_id": spec.picture_asset_id}}


def _write_background(background: Background) -> Json:
    if background.kind == "asset":
        return {"type": "image", "asset_id": background.value}
    value_field = "value" if background.kind == "color" else "url"
    return {"type": background.kind, value_field: background.value}


def _without_empty(fields: Json) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "")}


def read_video(raw: Json, *, captioned: bool = False) -> RemoteVideo:
    state = read_state(read_text(raw, "status"))
    plain, with_captions = read_link(raw, "video_url"), read_link(raw, "captioned_video_url")
    return RemoteVideo(
        id=read_text(raw, "id", "video_id"),
        state=state,
        raw_status=read_text(raw, "status"),
        title=read_text(raw, "title"),
        duration=read_number(raw, "duration"),
        file_url=(with_captions or plain) if captioned else plain,
        plain_file_url=plain,
        captioned_file_url=with_captions,
        subtitles_url=read_link(raw, "subtitle_url"),
        thumbnail_url=read_link(raw, "thumbnail_url"),
        gif_url=read_link(raw, "gif_url"),
        failure=_read_failure(raw) if state is RenderState.FAILED else None,
        created_at=read_time(raw, "created_at"),
        completed_at=read_time(raw, "completed_at"),
    )


def _read_failure(raw: Json) -> Failure:
    """v3 has two flat fields; v1 and v2 had an `error` object."""
    error = read_object(raw, "error")
    code = read_text(raw, "failure_code") or read_text(error, "code")
    message = read_text(raw, "failure_message") or read_text(error, "message", "detail")
    return failure_of_video(code, message)


def read_look(raw: Json, *, is_private: bool = False) -> Look:
    """`premium` exists in v2 only. `status` exists for private looks only."""
    return Look(
        id=read_text(raw, "id"),
        name=read_text(raw, "name"),
        kind=read_text(raw, "avatar_type"),
        gender=read_text(raw, "gender"),
        default_voice_id=read_text(raw, "default_voice_id") or None,
        preview_image_url=read_link(raw, "preview_image_url"),
        preview_video_url=read_link(raw, "preview_video_url"),
        engines=read_words(raw, "supported_api_engines"),
        orientation=read_text(raw, "preferred_orientation"),
        tags=read_words(raw, "tags"),
        is_premium=raw.get("premium") is True,
        is_ready=read_text(raw, "status") in ("", "completed"),
        group_id=read_text(raw, "group_id") or None,
        is_private=is_private or bool(read_text(raw, "status")),
    )


def read_voice(raw: Json, *, is_private: bool = False) -> RemoteVoice:
    return RemoteVoice(
        id=read_text(raw, "voice_id"),
        name=read_text(raw, "name"),
        language=read_text(raw, "language"),
        gender=read_text(raw, "gender"),
        preview_audio_url=read_link(raw, "preview_audio_url"),
        supports_pause=raw.get("support_pause") is True,
        supports_locale=raw.get("support_locale") is True,
        is_private=is_private or read_text(raw, "type") == "private",
    )


def read_account(raw: Json) -> ProviderAccount:
    """API keys have a wallet; OAuth users a subscription with two kinds of credits; some accounts a monthly cap."""
    if isinstance(raw.get("wallet"), dict):
        wallet = read_object(raw, "wallet")
        remaining = _decimal(read_number(wallet, "remaining_balance"))
        return ProviderAccount("wallet", read_text(wallet, "currency") or "usd", remaining)
    if isinstance(raw.get("subscription"), dict):
        credits = read_object(read_object(raw, "subscription"), "credits")
        kinds = ("premium_credits", "add_on_credits")
        parts = [_decimal(read_number(read_object(credits, kind), "remaining")) for kind in kinds]
        known = [part for part in parts if part is not None]
        return ProviderAccount("subscription", "credits", sum(known, Decimal(0)) if known else None)
    return _read_usage_account(raw)


def _read_usage_account(raw: Json) -> ProviderAccount:
    usage = read_object(raw, "usage_based")
    billing_type = read_text(raw, "billing_type") or "unknown"
    cap, spent = read_number(usage, "spending_cap_usd"), read_number(usage, "spending_current_usd")
    if cap is not None and spent is not None:
        return ProviderAccount(billing_type, "usd", max(Decimal(str(cap)) - Decimal(str(spent)), Decimal(0)))
    return ProviderAccount(billing_type, "credits", _decimal(read_number(usage, "remaining_credits")))


def _decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def read_webhook_endpoint(raw: Json) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=read_text(raw, "endpoint_id"),
        url=read_text(raw, "url"),
        enabled=read_text(raw, "status") != "disabled",
        secret=read_text(raw, "secret") or None,
    )
