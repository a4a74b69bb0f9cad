"""Declares one action of a viewset; read by permissions, rate limits, the OpenAPI document and tests."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser

from genvid.api.etags import IF_NONE_MATCH, UNCHANGED
from genvid.api.filters import PAGE_PARAMETERS, filter_parameters

Serializer = type[serializers.Serializer[Any]]


class Idempotency(Enum):
    NONE = "The header is not read."
    ATOMIC = "The action and its stored answer share one transaction."
    EXTERNAL = "The action calls outside, and its answer is stored later: it makes its row under `object_id`, once."


@dataclass(frozen=True)
class Endpoint:
    """One action of a viewset, named by the viewset's `endpoints`.

    The docstring of the action is for the OpenAPI document: its first line is the summary, the rest the description.
    `response` documents the answer, too; the action builds it itself.
    """

    operation_id: str
    summary: str = ""
    """`summary` and `description` are for actions of mixins, whose docstrings do not know the viewset."""
    _: KW_ONLY
    scope: str | None
    """The scope that role and API key must have; None: everybody may call it."""
    optional_authentication: tuple[type[BaseAuthentication], ...] = ()
    """Without a scope: how credentials that are sent are checked; empty: they are ignored."""
    verified_email: bool = False
    request: Serializer | Mapping[str, Serializer] | None = None
    """By media type, or of every body; None: a body that is not empty is refused."""
    partial: bool = False
    parsers: tuple[type[BaseParser], ...] = ()
    response: Any = None
    """A serializer class, or what drf-spectacular accepts instead; None: an answer without a body."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """Values of the OpenAPI example that differ from the usual example of `response`."""
    status: int | tuple[int, str] | None = None
    """Of a successful answer, with its media type if that is not JSON; None: 200, or 204 without a `response`."""
    many: bool = False
    """A list: `response` describes a row; filters, `limit` and `cursor` are query parameters."""
    filters: Any = None
    parameters: tuple[OpenApiParameter, ...] = ()
    also: Mapping[Any, Any] = field(default_factory=dict)
    etag: bool = False
    max_age: int = 0
    idempotency: Idempotency = Idempotency.NONE
    rate_limit: str = "RATE_LIMIT_ANONYMOUS"
    errors: tuple[str, ...] = ()
    description: str = ""

    @property
    def is_open(self) -> bool:
        return self.scope is None

    def serializer_for(self, media_type: str) -> Serializer | None:
        if isinstance(self.request, Mapping):
            return self.request.get(media_type) or next(iter(self.request.values()))
        return self.request

    @cached_property
    def all_parameters(self) -> list[OpenApiParameter]:
        implied = [*(filter_parameters(self.filters) if self.filters else PAGE_PARAMETERS)] if self.many else []
        headers = [IF_NONE_MATCH] if self.etag else []
        return [*implied, *self.parameters, *headers, *([IDEMPOTENCY_KEY] if self.is_idempotent else [])]

    @cached_property
    def query_params(self) -> frozenset[str]:
        return frozenset(each.name for each in self.all_parameters if each.location == OpenApiParameter.QUERY)

    @property
    def is_idempotent(self) -> bool:
        return self.idempotency is not Idempotency.NONE

    @property
    def responses(self) -> dict[Any, Any]:
        described = self.response(many=True) if self.many else self.response
        status = self.status or (200 if self.response else 204)
        return {status: described} | dict(self.also) | ({304: UNCHANGED} if self.etag else {})


IDEMPOTENCY_KEY_PATTERN = r"[A-Za-z0-9_:.\-]{1,255}"
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    pattern=f"^{IDEMPOTENCY_KEY_PATTERN}$",
    location=OpenApiParameter.HEADER,
    description="1 to 255 of A-Z a-z 0-9 _ : . -; a repetition within 24 hours gets the first answer again. "
    "For example `order-2026-05-01-0001`.",
)
