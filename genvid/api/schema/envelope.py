"""The envelope's schemas and the description of each status."""

from typing import Any

from genvid.api.filters import CURSOR
from genvid.api.serializers import EXAMPLE_REQUEST_ID

META = {
    "type": "object",
    "required": ["request_id"],
    "properties": {
        "request_id": {
            "type": "string",
            "description": "Also in the `X-Request-Id` header.",
            "examples": [EXAMPLE_REQUEST_ID],
        }
    },
}
PAGE_META = {
    "type": "object",
    "required": ["request_id", "limit", "next_cursor", "previous_cursor"],
    "properties": {
        **META["properties"],  # type: ignore[dict-item]
        "limit": {"type": "integer", "description": "Rows of a page at most.", "examples": [20]},
        "next_cursor": {
            "type": ["string", "null"],
            "description": "`?cursor=` of the next page; null on the last.",
            "examples": [CURSOR],
        },
        "previous_cursor": {"type": ["string", "null"], "description": "The same backwards; null on the first."},
    },
}
ERROR = {
    "type": "object",
    "required": ["success", "error", "meta"],
    "properties": {
        "success": {"const": False},
        "error": {
            "type": "object",
            "required": ["code", "message", "retryable", "doc_url"],
            "properties": {
                "code": {"$ref": "#/components/schemas/ErrorCode"},
                "message": {"type": "string", "description": "For people; it may change."},
                "details": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "description": "Field to message; nested fields dotted, list items by index.",
                },
                "retryable": {"type": "boolean", "description": "Whether the same request may go well later."},
                "doc_url": {"type": "string", "format": "uri", "description": "The page that explains the code."},
            },
        },
        "meta": {"$ref": "#/components/schemas/Meta"},
    },
}
DESCRIPTIONS = {
    "201": "Made.",
    "202": "Accepted; it goes on by itself.",
    "204": "Done; there is nothing to say.",
}
SCHEMAS = {"Meta": META, "PageMeta": PAGE_META, "ErrorEnvelope": ERROR}


def wrap(answer: dict[str, Any], status: str) -> None:
    if status == "204" or status.startswith("3"):
        answer.pop("content", None)
        return
    content = answer.setdefault("content", {"application/json": {}})
    if "application/json" in content:
        plain = content["application/json"].get("schema", {"type": "object"})
        content["application/json"]["schema"] = _enveloped(plain)


def _enveloped(data: dict[str, Any]) -> dict[str, Any]:
    # A list has its page in `meta`.
    meta = "PageMeta" if data.get("type") == "array" else "Meta"
    return {
        "type": "object",
        "required": ["success", "data", "meta"],
        "properties": {"success": {"const": True}, "data": data, "meta": {"$ref": f"#/components/schemas/{meta}"}},
    }
