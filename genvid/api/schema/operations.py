"""Generates one operation: texts, security, request, answers."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.fields import empty

from genvid.api.endpoints import Endpoint
from genvid.api.schema import envelope, refusals
from genvid.api.schema.headers import headers
from genvid.api.serializers import NewPasswordField, StrictSerializer


class EnvelopeAutoSchema(AutoSchema):
    @property
    def endpoint(self) -> Endpoint:
        view: Any = self.view
        found: Endpoint = view.endpoint
        return found

    @property
    def scope(self) -> str | None:
        return self.endpoint.scope

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        name, security = operation.pop("operationId"), operation.pop("security", [])
        told = operation.pop("description", "")
        words = {"summary": operation.pop("summary"), "description": self._described(told, security)}
        return {"operationId": name, "tags": operation.pop("tags"), **words, "security": security, **operation}

    def get_operation_id(self) -> str:
        return self.endpoint.operation_id

    def get_summary(self) -> str:
        return self.endpoint.summary or self._docstring()[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular asks without arguments
        # Some pages show every line break: keep those between paragraphs and list items only.
        return self.endpoint.description or re.sub(r"(?<!\n)\n(?!\n|- ) *", " ", self._docstring()[1])

    def _docstring(self) -> tuple[str, str]:
        view: Any = self.view
        summary, _, description = inspect.cleandoc(getattr(view, view.action).__doc__ or "").partition("\n\n")
        return summary, description

    def get_override_parameters(self) -> list[Any]:
        return self.endpoint.all_parameters

    def get_response_serializers(self) -> Any:
        return self.endpoint.responses

    def get_tags(self) -> list[str]:
        view: Any = self.view
        return [view.tag]

    def get_extensions(self) -> dict[str, Any]:
        scopes = {"x-scopes": [str(self.scope)]} if self.scope else {}
        return scopes | ({"x-example": dict(self.endpoint.example)} if self.endpoint.example else {})

    def get_auth(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super().get_auth()
        return [*found, {}] if found and self.endpoint.is_open else found

    def _described(self, told: str, security: list[dict[str, Any]]) -> str:
        if not self.scope:
            return told
        by_key = any("apiKey" in way for way in security)
        scope = f"Scope: `{self.scope}`." if by_key else f"Scope: `{self.scope}`, which no API key can have."
        return f"{told}\n\n{scope}" if told else scope

    # ── The request

    def get_request_serializer(self) -> Any:
        request = self.endpoint.request
        if isinstance(request, Mapping):
            return dict(request)
        return request(partial=True) if request and self.endpoint.partial else request

    def _get_request_body(self, *args: Any, **kwargs: Any) -> Any:
        """drf-spectacular gives bodies to POST, PUT and PATCH alone; a DELETE may declare one."""
        return self._as_if_posted(super()._get_request_body, *args, **kwargs)

    def _get_request_for_media_type(self, *args: Any, **kwargs: Any) -> Any:
        """drf-spectacular makes every field of a PATCH optional; here `partial` decides."""
        return self._as_if_posted(super()._get_request_for_media_type, *args, **kwargs)

    def _as_if_posted(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        if self.method != "PATCH" and not (self.method == "DELETE" and self._declares_body()):
            return operation(*args, **kwargs)
        method, self.method = self.method, "POST"
        try:
            return operation(*args, **kwargs)
        finally:
            self.method = method

    def _declares_body(self) -> bool:
        return bool(self.get_request_serializer())

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        if not type(serializer).__doc__:
            # drf-spectacular would take the docstring of a base class.
            schema.pop("description", None)
        return schema

    def _get_serializer_field_meta(self, field: Any, direction: Any) -> dict[str, Any]:
        meta: dict[str, Any] = super()._get_serializer_field_meta(field, direction)  # type: ignore[no-untyped-call]
        if isinstance(field, NewPasswordField):
            # drf-spectacular says 1 of every text that may not be empty.
            meta["minLength"] = NewPasswordField.SHORTEST
        if isinstance(field, serializers.ListField) and not field.allow_empty:
            meta["minItems"] = 1
        if (example := getattr(field, "example", empty)) is not empty:
            meta["examples"] = [example]
        if description := getattr(field, "description", ""):
            meta.setdefault("description", description)
        return meta

    # ── The answers

    def _get_response_bodies(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        answers: dict[str, Any] = super()._get_response_bodies(*args, **kwargs)
        for status, answer in answers.items():
            envelope.wrap(answer, status)
            answer["headers"] = headers(status, *self._own_headers(answers))
            if not answer.get("description") or answer["description"] == "No response body":
                answer["description"] = envelope.DESCRIPTIONS.get(status, "Done.")
        codes = refusals.codes_of(self.endpoint, self.path, may_have_body=self.method != "GET")
        return dict(sorted((refusals.placeholders(codes) | answers).items()))

    def _parameter_names(self) -> set[str]:
        return {parameter.name for parameter in self.endpoint.all_parameters}

    def _own_headers(self, answers: dict[str, Any]) -> list[str]:
        names = self._parameter_names()
        found = {"Idempotency-Key": "Idempotent-Replayed", "Prefer": "Preference-Applied"}
        return [*(found[name] for name in found if name in names), *(["ETag"] if "304" in answers else [])]

    # ── Lists

    def _is_list_view(self, serializer: Any = None) -> bool:
        return isinstance(serializer, serializers.ListSerializer)

    def _get_paginator(self) -> None:
        return None

    def get_filter_backends(self) -> list[Any]:
        return []
