"""One operation: its words, its security, its request, its answers."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from genvid.api.schema import envelope, refusals, texts
from genvid.api.schema.headers import headers
from genvid.api.serializers import StrictSerializer


class EnvelopeAutoSchema(AutoSchema):
    """drf-spectacular's schema, with every answer inside the envelope and every error that the view can give."""

    @property
    def scope(self) -> str | None:
        """What the operation does, in the words of the permission table; None where everybody may."""
        scopes = getattr(self.view, "scopes", {})
        return scopes.get(self.method) if self.view.permission_classes else None

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        name, security = operation.pop("operationId"), operation.pop("security", [])
        told = operation.pop("description", "") or texts.of(name).description
        words = {"summary": operation.pop("summary"), "description": self._described(told, security)}
        return {"operationId": name, "tags": operation.pop("tags"), **words, "security": security, **operation}

    def get_summary(self) -> str:
        return texts.of(self.get_operation_id()).summary

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular asks without arguments
        """Of the method alone: what a view's class says is meant for those who read the code."""
        return (getattr(self.view, self.method.lower()).__doc__ or "").strip()

    def get_tags(self) -> list[str]:
        return [texts.tag(self._tokenize_path()[0])]

    def get_extensions(self) -> dict[str, Any]:
        return {"x-scopes": [str(self.scope)]} if self.scope else {}

    def get_auth(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super().get_auth()
        return [*found, {}] if found and not self.view.permission_classes else found

    def _described(self, told: str, security: list[dict[str, Any]]) -> str:
        if not self.scope:
            return told
        by_key = any("apiKey" in way for way in security)
        scope = f"Scope: `{self.scope}`." if by_key else f"Scope: `{self.scope}`, which no API key can have."
        return f"{told}\n\n{scope}" if told else scope

    # ── The request

    def get_request_serializer(self) -> Any:
        return None if self.method == "DELETE" else super().get_request_serializer()

    def _get_request_body(self, *args: Any, **kwargs: Any) -> Any:
        """drf-spectacular gives bodies to POST, PUT and PATCH alone; where a DELETE names one, it has one."""
        return self._as_if_posted(super()._get_request_body, *args, **kwargs)

    def _get_request_for_media_type(self, *args: Any, **kwargs: Any) -> Any:
        """drf-spectacular takes every field of a PATCH for optional; ours say so themselves, by `partial`."""
        return self._as_if_posted(super()._get_request_for_media_type, *args, **kwargs)

    def _as_if_posted(self, deed: Any, *args: Any, **kwargs: Any) -> Any:
        if self.method != "PATCH" and not (self.method == "DELETE" and self._declares_body()):
            return deed(*args, **kwargs)
        method, self.method = self.method, "POST"
        try:
            return deed(*args, **kwargs)
        finally:
            self.method = method

    def _declares_body(self) -> bool:
        return bool(self.get_request_serializer())

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        return schema

    # ── The answers

    def _get_response_bodies(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        answers: dict[str, Any] = super()._get_response_bodies(*args, **kwargs)
        for status, answer in answers.items():
            envelope.wrap(answer, status)
            answer["headers"] = headers(status, *self._own_headers(answers))
            if not answer.get("description") or answer["description"] == "No response body":
                answer["description"] = texts.STATUSES.get(status, "Done.")
        codes = {*texts.of(self.get_operation_id()).refuses, *self._implied_codes()}
        return dict(sorted((refusals.placeholders(codes) | answers).items()))

    def _implied_codes(self) -> set[str]:
        may_have_body = self.method != "GET"
        return refusals.codes_of(self.view, self.path, may_have_body=may_have_body, names=self._parameter_names())

    def _parameter_names(self) -> set[str]:
        return {getattr(parameter, "name", "") for parameter in self.get_override_parameters()}

    def _own_headers(self, answers: dict[str, Any]) -> list[str]:
        names = self._parameter_names()
        found = {"Idempotency-Key": "Idempotent-Replayed", "Prefer": "Preference-Applied"}
        return [*(found[name] for name in found if name in names), *(["ETag"] if "304" in answers else [])]

    # ── Lists

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Our lists say `many=True` themselves, and their pages are in `meta`."""
        return isinstance(serializer, serializers.ListSerializer)

    def _get_paginator(self) -> None:
        return None

    def get_filter_backends(self) -> list[Any]:
        return []
