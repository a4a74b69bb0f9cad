"""The one envelope: `{"success", "data" | "error", "meta"}` on every answer that has a body."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.renderers import BaseRenderer

from genvid import request_context


@dataclass(frozen=True)
class Page:
    """The items of a list, and what belongs into `meta` beside the request id."""

    items: list[Any] | orjson.Fragment
    meta: dict[str, Any] = field(default_factory=dict)


def success_body(data: Any) -> dict[str, Any]:
    meta: dict[str, Any] = {"request_id": request_context.current().request_id}
    if isinstance(data, Page):
        return {"success": True, "data": data.items, "meta": meta | data.meta}
    return {"success": True, "data": data, "meta": meta}


def error_body(error: Mapping[str, Any]) -> dict[str, Any]:
    return {"success": False, "error": error, "meta": {"request_id": request_context.current().request_id}}


def dump(body: Any) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


class EnvelopeRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        response = (renderer_context or {}).get("response")
        if response is not None and response.status_code in (204, 304):
            return b""
        wrap = error_body if response is not None and response.exception else success_body
        return dump(wrap(data))


def error_response(status: int, error: Mapping[str, Any]) -> HttpResponse:
    """The envelope for answers that bypass DRF: unknown paths, framework errors, middleware."""
    return HttpResponse(dump(error_body(error)), status=status, content_type="application/json")
