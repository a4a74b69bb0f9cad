"""Verifies and parses HeyGen's webhook deliveries. Source: HeyGen v3, webhooks page."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from genvid.heygen.heygen_types import WebhookNotice
from genvid.heygen.wire import clean, read_object, read_text
from genvid.http import parse_json

# The documentation says the first, production has been seen to send the second.
SIGNATURE_HEADERS = ("heygen-signature", "signature")
TIMESTAMP_HEADER = "heygen-timestamp"
EVENT_ID_HEADER = "heygen-event-id"
MAX_AGE_SECONDS = 300
EVENT_ID = re.compile(r"[\x21-\x7e]{1,200}")


class BadSignature(Exception):
    pass


class BadPayload(Exception):
    pass


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime) -> None:
    """Raises `BadSignature` unless `body`, as received, is signed with one of `secrets`.

    A rotation ends the old secret at once, so both are tried during one. The timestamp is not signed and not always
    sent: it only detects late deliveries. The unique key of a delivery prevents replays.
    """
    lower = _lower_names(headers)
    header = next((lower[name] for name in SIGNATURE_HEADERS if name in lower), "")
    given = header.strip().lower().removeprefix("sha256=").encode("utf-8", "replace")
    matches = [hmac.compare_digest(_sign(body, secret), given) for secret in secrets if secret]
    if not any(matches):
        raise BadSignature("the signature is missing or wrong")
    _check_age(lower.get(TIMESTAMP_HEADER), now)


def _sign(body: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()


def _check_age(timestamp: str | None, now: datetime) -> None:
    if timestamp is None:
        return
    try:
        age = abs(now.timestamp() - int(timestamp))
    except ValueError as error:
        raise BadSignature("the timestamp is not a number") from error
    if age > MAX_AGE_SECONDS:
        raise BadSignature("the timestamp is too far off")


def parse(body: bytes, headers: Mapping[str, str]) -> WebhookNotice:
    """Raises `BadPayload` if `body` is not a JSON object. Any object parses: types and fields come and go."""
    try:
        raw = _clean_tree(parse_json(body))
    except (ValueError, RecursionError) as error:
        raise BadPayload("the body is not JSON") from error
    if not isinstance(raw, dict):
        raise BadPayload("the body is not an object")
    data = read_object(raw, "event_data")
    return WebhookNotice(
        key=_dedupe_key(body, raw, headers),
        event_type=read_text(raw, "event_type", "type")[:100] or "unknown",
        video_id=read_text(data, "video_id") or None,
        callback_id=read_text(data, "callback_id") or None,
        raw=raw,
    )


def read_event(raw: Mapping[str, Any]) -> WebhookNotice:
    data = read_object(raw, "event_data")
    return WebhookNotice(
        key=read_text(raw, "event_id"),
        event_type=read_text(raw, "event_type")[:100] or "unknown",
        video_id=read_text(data, "video_id") or None,
        callback_id=read_text(data, "callback_id") or None,
        raw=_clean_tree(dict(raw)),
        created_at=_read_instant(read_text(raw, "created_at")),
    )


def _read_instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _dedupe_key(body: bytes, raw: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """Old deliveries carry no id; for them the body identifies the delivery."""
    for candidate in (_lower_names(headers).get(EVENT_ID_HEADER, ""), read_text(raw, "event_id")):
        if EVENT_ID.fullmatch(candidate):
            return candidate
    return "sha256:" + hashlib.sha256(body).hexdigest()


def _lower_names(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _clean_tree(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean_tree(item) for item in value]
    if isinstance(value, dict):
        return {clean(name): _clean_tree(item) for name, item in value.items()}
    return value
