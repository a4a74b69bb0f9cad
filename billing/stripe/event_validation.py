"""Validates the form of Stripe's events (https://docs.stripe.com/api/events/object), at which dj-stripe would fail."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from genvid.errors import MalformedBody, ValidationFailed

ID_LENGTH = 255
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""The JSON escape of NUL, which PostgreSQL does not store."""

Check = Callable[[Any], bool]


def refuse_malformed(event: Mapping[str, Any]) -> None:
    """Raises ValidationFailed, and MalformedBody for text that cannot be stored."""
    _refuse_unstorable(event)
    _check("", event, EVENT)
    _check("data.", event["data"], DATA)
    _check("data.object.", event["data"]["object"], OBJECT)
    if isinstance(event.get("request"), dict):
        _check("request.", event["request"], REQUEST)


def _refuse_unstorable(event: Mapping[str, Any]) -> None:
    try:
        text = json.dumps(event, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        # NaN, infinity, lone surrogates.
        raise MalformedBody from error
    if NUL.search(text):
        raise MalformedBody


def _check(path: str, found: Mapping[str, Any], fields: Mapping[str, Check]) -> None:
    for name, holds in fields.items():
        if not holds(found.get(name)):
            raise ValidationFailed(f"The event's {path}{name} is not of the form that Stripe documents.")


def _text(longest: int) -> Check:
    return lambda value: isinstance(value, str) and 0 < len(value) <= longest


def _optional(check: Check) -> Check:
    return lambda value: value is None or value == "" or check(value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_timestamp(value: Any) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    try:
        datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return True


def _is_reference(value: Any) -> bool:
    return _text(ID_LENGTH)(value) or (_is_object(value) and _text(ID_LENGTH)(value.get("id")))


EVENT: dict[str, Check] = {
    "id": _text(ID_LENGTH),
    "type": _text(250),
    "created": _is_timestamp,
    "livemode": lambda value: isinstance(value, bool),
    "api_version": _optional(_text(64)),
    "request": lambda value: value is None or isinstance(value, str | dict),
    "data": _is_object,
}
DATA: dict[str, Check] = {"object": _is_object}
OBJECT: dict[str, Check] = {
    "id": _text(ID_LENGTH),
    "object": _text(ID_LENGTH),
    "customer": _optional(_is_reference),
    "charge": _optional(_is_reference),
    "metadata": lambda value: value is None or _is_object(value),
}
REQUEST: dict[str, Check] = {"id": _optional(_text(50)), "idempotency_key": _optional(_text(ID_LENGTH))}
