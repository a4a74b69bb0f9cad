"""What one action of a viewset is: declared once, read by permissions, rate limits, the OpenAPI document and tests."""

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
    """What an `Idempotency-Key` does to an action."""

    NONE = "The header is not read."
    ATOMIC = "The action and its stored answer share one transaction."
    EXTERNAL = "The action calls a provider, so it runs before the transaction that stores its answer."


@dataclass(frozen=True)
class Endpoint:
    """One action of a viewset, named by the viewset's `endpoints`.

    The docstring of the action is for the OpenAPI document: its first line is the summary, the rest the description.
    `response` is for the document, too: the action answers with that shape.
    """

    operation_id: str
    summary: str = ""
    """Of an action that a mixin brings, as `description` is: its docstring knows nothing of this viewset."""
    _: KW_ONLY
    scope: str | None
    """What the caller's role and API key must allow; None: everybody may call it."""
    optional_authentication: tuple[type[BaseAuthentication], ...] = ()
    """Without a scope: how credentials that are sent are checked; empty: they are not even looked at."""
    verified_email: bool = False
    """Whether the caller's e-mail address must have been verified."""
    request: Serializer | Mapping[str, Serializer] | None = None
    """Of the body, or of each media type's; None: a body with anything in it is refused."""
    partial: bool = False
    """Whether every field of the body may be left out."""
    parsers: tuple[type[BaseParser], ...] = ()
    """Of the body; empty: JSON."""
    response: Any = None
    """A serializer class, or what drf-spectacular takes in its place; None: an answer without a body."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """Where the answer of the OpenAPI document's example differs from the usual one of its `response`."""
    status: int | tuple[int, str] | None = None
    """Of an answer that went well, with its media type if that is not JSON; None: 200, or 204 without a `response`."""
    many: bool = False
    """A list: `response` describes a row; filters, `limit` and `cursor` are query parameters."""
    filters: Any = None
    """The FilterSet of a list."""
    parameters: tuple[OpenApiParameter, ...] = ()
    """Query parameters and headers beside those that the other declarations imply."""
    also: Mapping[Any, Any] = field(default_factory=dict)
    """Further answers that went well, by status."""
    etag: bool = False
    """Whether the answer carries an `ETag`, and 304 is answered to whoever has it already."""
    max_age: int = 0
    """Seconds for which clients need not ask again; with `etag`."""
    idempotency: Idempotency = Idempotency.NONE
    rate_limit: str = "RATE_LIMIT_ANONYMOUS"
    """The setting that says how often one address may call this without proving who is calling."""
    errors: tuple[str, ...] = ()
    """Error codes that only this action's own work can meet, for the OpenAPI document."""
    description: str = ""

    @property
    def is_open(self) -> bool:
        return self.scope is None

    def serializer_for(self, media_type: str) -> Serializer | None:
        """The serializer of a body of this media type."""
        if isinstance(self.request, Mapping):
            return self.request.get(media_type) or next(iter(self.request.values()))
        return self.request

    @cached_property
    def all_parameters(self) -> list[OpenApiParameter]:
        """Query parameters and headers: declared and implied."""
        implied = [*(filter_parameters(self.filters) if self.filters else PAGE_PARAMETERS)] if self.many else []
        headers = [IF_NONE_MATCH] if self.etag else []
        return [*implied, *self.parameters, *headers, *([IDEMPOTENCY_KEY] if self.is_idempotent else [])]

    @cached_property
    def query_params(self) -> frozenset[str]:
        """The names of the query parameters; any other one is refused."""
        return frozenset(each.name for each in self.all_parameters if each.location == OpenApiParameter.QUERY)

    @property
    def is_idempotent(self) -> bool:
        return self.idempotency is not Idempotency.NONE

    @property
    def responses(self) -> dict[Any, Any]:
        """What drf-spectacular describes the answers by."""
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
