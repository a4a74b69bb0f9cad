"""Base views: lean, strict about query parameters, and owned by the caller's account."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from genvid.api import ratelimits
from genvid.api.exceptions import not_found_view
from genvid.api.filters import takes_nothing
from genvid.api.ratelimits import Standing
from genvid.api.serializers import StrictSerializer, validated
from genvid.errors import DomainError, MalformedBody, NotFound, ValidationFailed

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""What Django puts in place of what is not UTF-8."""
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
__all__ = ["KeysetListView", "StrictAPIView", "not_found_view"]


class StrictAPIView(APIView):
    """Refuses query parameters that the view does not name in `query_params`, and callers without its scope.

    `scopes`: what each method does, in the words of the permission table; a method that is not named is closed.
    """

    scopes: ClassVar[Mapping[str, str]] = {}
    query_params: ClassVar[frozenset[str]] = frozenset()
    reads_body: ClassVar[frozenset[str]] = frozenset({"POST", "PUT", "PATCH"})
    """The methods that have a body. Under another one, a body with anything in it is refused."""

    rate_limit: ClassVar[str] = "RATE_LIMIT_ANONYMOUS"
    """The setting that says how often one address may call this without proving who is calling."""
    standing: Standing | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if settings.RATE_LIMITS:
            self._count(request)
        super().initial(request, *args, **kwargs)
        if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
            # Read by its length alone, it would pass for an empty one.
            raise MalformedBody("Send a Content-Length: a body in chunks is not read.")
        unknown = set(request.query_params) - self.allowed_query_params(request)
        if unknown:
            raise ValidationFailed(details=dict.fromkeys(sorted(unknown), "Unknown query parameter."))
        twice = [name for name, values in request.query_params.lists() if len(values) > 1]
        if twice:
            raise ValidationFailed(details=dict.fromkeys(twice, "Given more than once."))
        garbled = [name for name, value in request.query_params.items() if REPLACEMENT in value]
        if garbled:
            raise ValidationFailed(details=dict.fromkeys(garbled, "Is not UTF-8."))
        if request.method in WRITING.intersection(self.allowed_methods) - self.reads_body:
            # Kept whole: once DRF has read the stream, the fingerprint of an Idempotency-Key could not.
            _ = request._request.body
            validated(StrictSerializer, request.data)

    def allowed_query_params(self, request: Request) -> frozenset[str]:
        return self.query_params

    def _count(self, request: Request) -> None:
        """By what the credentials prove; bad ones count against the address, as none do. Raises RateLimited."""
        # Of the rooms' own kind, which the base does not know.
        caller: Any = None
        refusal = None
        try:
            caller = request.user
        except DomainError as error:
            refusal = error
        if caller is None or not caller.is_authenticated:
            self.standing = ratelimits.of_stranger(request, getattr(settings, self.rate_limit))
        else:
            self.standing = ratelimits.of_caller(caller.account_id, caller.user_id, caller.key_id)
        self.standing.enforce()
        if refusal is not None:
            # DRF remembers a failed caller as nobody: asked a second time, it would let them pass as one.
            raise refusal

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]  # as DRF does
        """Which methods there are, in `Allow`."""
        return Response(status=204)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.standing is not None:
            for name, value in self.standing.headers.items():
                response[name] = value
        return response


class KeysetListView(StrictAPIView, GenericAPIView[Any]):
    """A list: filters of `filterset_class` plus `limit` and `cursor`."""

    filterset_class: ClassVar[Any] = None

    def allowed_query_params(self, request: Request) -> frozenset[str]:
        if request.method not in ("GET", "HEAD"):
            return self.query_params
        filters = frozenset(self.filterset_class.base_filters) if self.filterset_class else frozenset()
        return self.query_params | filters | frozenset({"limit", "cursor"})

    def filtered(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.filterset_class is None:
            return queryset
        self._refuse_empty(self.filterset_class.base_filters)
        filterset = self.filterset_class(self.request.query_params, queryset=queryset, request=self.request)
        if not filterset.is_valid():
            details = {name: " ".join(messages) for name, messages in filterset.errors.items()}
            raise ValidationFailed(details=details)
        found: QuerySet[Any] = filterset.qs
        return found

    def _refuse_empty(self, filters: Mapping[str, Any]) -> None:
        """An empty `batch_id` or `created_after` would show everything instead of nothing."""
        given = self.request.query_params
        empty = [name for name, each in filters.items() if given.get(name) == "" and not takes_nothing(each)]
        if empty:
            raise ValidationFailed(details=dict.fromkeys(empty, "Is empty."))

    def page(self, queryset: QuerySet[Any]) -> Response:
        rows = self.paginate_queryset(self.filtered(queryset)) or []
        return self.get_paginated_response(self.represent(rows))

    def represent(self, rows: list[Any]) -> list[Any]:
        """The rows as the API shows them."""
        return list(self.get_serializer(rows, many=True).data)


def one_or_404(queryset: QuerySet[Any], **lookup: Any) -> Any:
    """The row of the caller's queryset, or 404: somebody else's row looks like none at all."""
    row = queryset.filter(**lookup).first()
    if row is None:
        raise NotFound
    return row
