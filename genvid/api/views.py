"""Base views: lean, strict about query parameters, and owned by the caller's account."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from genvid.api.exceptions import not_found_view
from genvid.errors import NotFound, ValidationFailed

__all__ = ["KeysetListView", "StrictAPIView", "not_found_view"]


class StrictAPIView(APIView):
    """Refuses query parameters that the view does not name in `query_params`, and callers without its scope.

    `scopes`: what each method does, in the words of the permission table; a method that is not named is closed.
    """

    scopes: ClassVar[Mapping[str, str]] = {}
    query_params: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        unknown = set(request.query_params) - self.allowed_query_params(request)
        if unknown:
            raise ValidationFailed(details=dict.fromkeys(sorted(unknown), "Unknown query parameter."))
        twice = [name for name, values in request.query_params.lists() if len(values) > 1]
        if twice:
            raise ValidationFailed(details=dict.fromkeys(twice, "Given more than once."))

    def allowed_query_params(self, request: Request) -> frozenset[str]:
        return self.query_params


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
        filterset = self.filterset_class(self.request.query_params, queryset=queryset, request=self.request)
        if not filterset.is_valid():
            details = {name: " ".join(messages) for name, messages in filterset.errors.items()}
            raise ValidationFailed(details=details)
        found: QuerySet[Any] = filterset.qs
        return found

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
