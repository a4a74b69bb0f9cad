"""Lists in pages: `data` with `has_more` and `next_token` beside it."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from genvid.sandbox.api_errors import refuse
from genvid.sandbox.heygen.dispatch import Call, Reply

Item = TypeVar("Item")


def page(
    call: Call,
    items: Sequence[tuple[int, Item]],
    show: Callable[[Item], dict[str, Any]],
    *,
    newest_first: bool = False,
) -> Reply:
    """One page of numbered items. The token is the last number shown, so that new rows shift nothing."""
    shown, extra = cut(call, items, newest_first=newest_first)
    return Reply([show(item) for item in shown], extra)


def cut(
    call: Call, items: Sequence[tuple[int, Item]], *, newest_first: bool = False
) -> tuple[list[Item], dict[str, Any]]:
    ordered = sorted(items, key=lambda pair: pair[0], reverse=newest_first)
    after = _read(call.query.get("token"))
    if after is not None:
        ordered = [pair for pair in ordered if (pair[0] < after if newest_first else pair[0] > after)]
    shown, rest = ordered[: call.query["limit"]], ordered[call.query["limit"] :]
    token = _write(shown[-1][0]) if rest else None
    return [item for _, item in shown], {"has_more": bool(rest), "next_token": token}


def unpaged(data: list[dict[str, Any]]) -> Reply:
    return Reply(data, {"has_more": False, "next_token": None})


def _write(number: int) -> str:
    return base64.urlsafe_b64encode(f"after:{number}".encode()).decode()


def _read(token: str | None) -> int | None:
    if not token:
        return None
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("after:"))
    except (ValueError, binascii.Error, UnicodeDecodeError):
        refuse("token", "token is not one of ours")
