"""The OpenAPI document tells the truth about the envelope, the headers and the errors."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

META = {"request_id": {"type": "string", "description": "Also in the `X-Request-Id` header."}}
PAGE_META = {
    **META,
    "limit": {"type": "integer"},
    "next_cursor": {"type": ["string", "null"]},
    "previous_cursor": {"type": ["string", "null"]},
}
ERROR_SCHEMA = {
    "type": "object",
    "required": ["success", "error", "meta"],
    "properties": {
        "success": {"const": False},
        "error": {
            "type": "object",
            "required": ["code", "message", "retryable"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "description": "Field to message; nested fields dotted, list items by index.",
                },
                "retryable": {"type": "boolean"},
            },
        },
        "meta": {"type": "object", "required": ["request_id"], "properties": META},
    },
}
ERRORS = {
    "400": "Something in the request is not valid.",
    "401": "Authentication is missing or not valid.",
    "402": "The wallet does not cover this.",
    "403": "Not allowed.",
    "404": "Nothing here that the caller may see.",
    "405": "This method is not offered here.",
    "409": "Not possible in the present state, or still running.",
    "413": "The body is too large.",
    "415": "The body is of a type that is not read here.",
    "422": "The Idempotency-Key was used with another request.",
    "503": "A part that this needs does not answer at present.",
}


class EnvelopeAutoSchema(AutoSchema):
    """drf-spectacular's schema, with every answer inside the envelope."""

    def _get_response_bodies(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        responses = super()._get_response_bodies(*args, **kwargs)
        for code, response in responses.items():
            self._wrap(code, response)
        return responses | {code: _error(text) for code, text in self._errors().items() if code not in responses}

    def _wrap(self, code: str, response: dict[str, Any]) -> None:
        if code == "204" or code.startswith("3"):
            response.pop("content", None)
            return
        if "text/csv" in response.get("content", {}):
            return
        content = response.get("content", {}).get("application/json", {})
        schema = content.get("schema", {"type": "object"})
        # A list's page tells about itself in `meta`.
        is_list = schema.get("type") == "array"
        meta = {"type": "object", "required": ["request_id"], "properties": PAGE_META if is_list else META}
        wrapped = {
            "type": "object",
            "required": ["success", "data", "meta"],
            "properties": {"success": {"const": True}, "data": schema, "meta": meta},
        }
        response["content"] = {"application/json": {**content, "schema": wrapped}}

    def _errors(self) -> dict[str, str]:
        """The errors that this operation can answer."""
        codes = {"400", "405", "503"}
        if self.view.permission_classes:
            codes |= {"401", "403"}
        else:
            codes |= {"401"}
        if "{" in self.path:
            codes.add("404")
        if self.method in ("POST", "PATCH", "PUT"):
            codes |= {"413", "415", "409", "422", "402"} if self.view.permission_classes else {"413", "415"}
        if self.method == "DELETE":
            codes |= {"409", "415"}
        if self.path.startswith("/api/v1/billing") or self.path.endswith("/profile"):
            codes.add("404")
        return {code: ERRORS[code] for code in sorted(codes)}

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Our lists say `many=True` themselves, and their pages are in `meta`."""
        return isinstance(serializer, serializers.ListSerializer)

    def _get_paginator(self) -> None:
        return None

    def get_filter_backends(self) -> list[Any]:
        return []


def _error(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ErrorEnvelope"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def add_error_envelope(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook: the schema that every error answer refers to."""
    result["components"]["schemas"]["ErrorEnvelope"] = ERROR_SCHEMA
    return result
