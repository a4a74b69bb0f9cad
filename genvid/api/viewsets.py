"""The base of every viewset: serves declared actions only, and reads every request strictly.

A viewset names its actions in `endpoints` (`genvid.api.endpoints.Endpoint`). A routed action without a declaration
fails when the URLs are loaded.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import classonlymethod
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from genvid.api import rate_limits
from genvid.api.endpoints import Endpoint
from genvid.api.etags import with_etag
from genvid.api.filters import accepts_empty, refusal_message
from genvid.api.pagination import KeysetPagination, Slice, rows_of
from genvid.api.rate_limits import RateLimitState
from genvid.api.renderers import EnvelopeRenderer
from genvid.api.serializers import StrictSerializer, validated
from genvid.errors import DomainError, MalformedBody, NotFound, ValidationFailed

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
RENDERER = EnvelopeRenderer()


class StrictViewSet(GenericViewSet[Any]):
    """Refuses what the endpoint does not declare, in this order:

    method, rate limit, credentials, scope, query parameters, body.
    """

    endpoints: ClassVar[Mapping[str, Endpoint]] = {}
    tag: ClassVar[str]
    lookup_value_converter = "uuid"
    representation: Any
    """A function that represents one row: `staticmethod(plan_data)`."""
    quota: RateLimitState | None = None
    max_age: int | None = None
    """Instead of the endpoint's, for this answer."""
    _body: dict[str, Any] | None = None
    _object: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        inherited = [vars(each).get("endpoints", {}) for each in reversed(cls.__mro__)]
        cls.endpoints = {action: endpoint for each in inherited for action, endpoint in each.items()}
        missing = [action for action in cls.endpoints if not hasattr(cls, action)]
        if missing:
            raise ImproperlyConfigured(f"{cls.__name__} declares endpoints without an action: {', '.join(missing)}.")

    @classonlymethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        undeclared = sorted(set(dict(actions or {}).values()) - cls.endpoints.keys())
        if undeclared:
            raise ImproperlyConfigured(f"{cls.__name__}.endpoints does not declare {', '.join(undeclared)}.")
        return super().as_view(actions, **initkwargs)

    @property
    def endpoint(self) -> Endpoint:
        return self.endpoints[self.action]

    # ── From the request to the answer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """DRF's life-cycle without content negotiation; renders here, see `_release`."""
        self.headers: dict[str, str] = {}
        method = (request.method or "").lower()
        self.action = "options" if method == "options" else self.action_map.get(method, "")
        self.request = drf_request = self.initialize_request(request, *args, **kwargs)
        try:
            response: Any = self._answer(drf_request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the one handler turns whatever it is into the envelope
            response = self.handle_exception(error)
        answer: HttpResponseBase = self.finalize_response(drf_request, response, *args, **kwargs)
        if isinstance(answer, Response):
            answer.render()
        self._release(answer)
        return answer

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        is_method = self.action in self.endpoints
        return Request(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators() if is_method else (),
            negotiator=self.get_content_negotiator(),
            parser_context={"view": self, "args": args, "kwargs": kwargs},
        )

    def _answer(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.action == "options":
            return Response(status=204)
        if not self.action:
            raise MethodNotAllowed(str(request.method))
        self.initial(request, *args, **kwargs)
        return self.perform(request, *args, **kwargs)

    def perform(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase = getattr(self, self.action)(request, *args, **kwargs)
        return answer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if settings.RATE_LIMITS:
            self._count(request)
        self.perform_authentication(request)
        self.check_permissions(request)
        self._check_query(request)
        if self.endpoint.request is None and request.method in WRITING:
            # Kept whole for the fingerprint of an Idempotency-Key: DRF consumes the stream.
            _ = request._request.body
            validated(StrictSerializer, request.data)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(response, Response):
            if self._is_conditional(response):
                max_age = self.endpoint.max_age if self.max_age is None else self.max_age
                response = with_etag(request, response, max_age=max_age)
            response.accepted_renderer, response.accepted_media_type = RENDERER, RENDERER.media_type
            response.renderer_context = {"request": request._request, "response": response}
        if self.action not in self.endpoints:
            response["Allow"] = ", ".join(self.allowed_methods)
        if self.quota is not None:
            for name, value in self.quota.headers.items():
                response[name] = value
        return response

    def _is_conditional(self, response: Response) -> bool:
        found = self.endpoints.get(self.action)
        return found is not None and found.etag and response.status_code == 200 and not response.exception

    def _release(self, response: Any) -> None:
        """Cut the reference cycles that DRF leaves, which only a garbage collection would free."""
        for method in self.action_map:
            self.__dict__.pop(method, None)
        self.request.parser_context = {}
        form = getattr(self.request, "_full_data", None)
        for each in form.values() if isinstance(form, dict) else ():
            if isinstance(each, UploadedFile):
                each.close()
        if isinstance(response, Response):
            vars(response).pop("renderer_context", None)

    # ── Permissions

    def get_authenticators(self) -> list[BaseAuthentication]:
        """None for public actions: stale credentials must not keep anybody from signing in."""
        endpoint = self.endpoint
        kinds = self.authentication_classes if endpoint.scope else endpoint.optional_authentication
        return [each() for each in kinds]

    def get_parsers(self) -> list[BaseParser]:
        endpoint = self.endpoints.get(self.action)
        return [each() for each in (endpoint and endpoint.parsers) or self.parser_classes]

    def get_permissions(self) -> list[BasePermission]:
        return cast("list[BasePermission]", super().get_permissions()) if self.endpoint.scope else []

    def _count(self, request: Request) -> None:
        """Count by caller; bad or missing credentials count against the address. Raises RateLimited."""
        try:
            # An `accounts.caller.Caller`; typed Any because genvid must not import accounts.
            caller: Any = request.user
        except DomainError:
            self._count_anonymous(request)
            # At once: DRF caches a failed caller as anonymous, and a second check would let them pass.
            raise
        if caller is None or not caller.is_authenticated:
            self._count_anonymous(request)
            return
        self.quota = rate_limits.counted(request._request)
        if self.quota is not None:
            self.quota.enforce()

    def _count_anonymous(self, request: Request) -> None:
        self.quota = rate_limits.count_anonymous(request, getattr(settings, self.endpoint.rate_limit))
        self.quota.enforce()

    # ── Request data

    def allowed_query_params(self, request: Request) -> frozenset[str]:
        return self.endpoint.query_params

    def _check_query(self, request: Request) -> None:
        if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
            # By its length alone it would look empty.
            raise MalformedBody("Send a Content-Length: a body in chunks is not read.")
        if not request.query_params:
            return
        unknown = set(request.query_params) - self.allowed_query_params(request)
        if unknown:
            raise ValidationFailed(details=dict.fromkeys(sorted(unknown), "Unknown query parameter."))
        twice = [name for name, values in request.query_params.lists() if len(values) > 1]
        if twice:
            raise ValidationFailed(details=dict.fromkeys(twice, "Given more than once."))
        garbled = [name for name, value in request.query_params.items() if REPLACEMENT in value]
        if garbled:
            raise ValidationFailed(details=dict.fromkeys(garbled, "Is not UTF-8."))

    @property
    def body(self) -> dict[str, Any]:
        if self._body is None:
            media_type = (self.request.content_type or "").partition(";")[0].strip().lower()
            serializer = self.endpoint.serializer_for(media_type)
            if serializer is None:
                raise TypeError(f"{self.endpoint.operation_id} declares no body")
            self._body = validated(serializer, self.request.data, partial=self.endpoint.partial)
        return self._body

    def get_object(self) -> Any:
        """The row of `get_queryset()` in the URL. Raises NotFound, for another caller's row too."""
        if self._object is None:
            name = self.lookup_url_kwarg or self.lookup_field
            self._object = self.get_queryset().filter(**{self.lookup_field: self.kwargs[name]}).first()
        if self._object is None:
            raise NotFound
        return self._object

    def get_object_again(self) -> Any:
        """The current row after a wait, with permissions checked again. Raises as `get_object` does."""
        again = self.initialize_request(self.request._request, *self.args, **self.kwargs)
        again.parser_context = {}
        self.perform_authentication(again)
        self.check_permissions(again)
        self.request, self._object = again, None
        return self.get_object()

    # ── Answers

    def represent(self, rows: Sequence[Any]) -> list[Any]:
        return [self.representation(row) for row in rows]

    def represent_one(self, row: Any) -> Any:
        return self.represent([row])[0]

    def page(self, queryset: QuerySet[Any], represent: Callable[[Sequence[Any]], list[Any]] | None = None) -> Response:
        return self.page_of(partial(rows_of, self.filtered(queryset)), represent)

    def page_of(
        self,
        fetch: Callable[[Slice], Iterable[Any]],
        represent: Callable[[Sequence[Any]], list[Any]] | None = None,
    ) -> Response:
        paginator = cast("KeysetPagination", self.paginator)
        rows = paginator.paginate(fetch, self.request)
        return paginator.get_paginated_response((represent or self.represent)(rows))

    @property
    def is_filtered(self) -> bool:
        filters = self.endpoint.filters
        return filters is not None and not filters.base_filters.keys().isdisjoint(self.request.query_params)

    def filtered(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        filters = self.endpoint.filters
        if filters is None or not self.is_filtered:
            # A set of filters and its form cost more than the rows of a page.
            return queryset
        self._refuse_empty(filters.base_filters)
        filterset = filters(self.request.query_params, queryset=queryset, request=self.request)
        try:
            if not filterset.is_valid():
                wrong = filterset.errors.items()
                details = {name: refusal_message(filters.base_filters[name], messages) for name, messages in wrong}
                raise ValidationFailed(details=details)
            found: QuerySet[Any] = filterset.qs
            return found
        finally:
            filterset.release()

    def _refuse_empty(self, filters: Mapping[str, Any]) -> None:
        """An empty `batch_id` or `created_after` would otherwise select everything."""
        given = self.request.query_params
        empty = [name for name, each in filters.items() if given.get(name) == "" and not accepts_empty(each)]
        if empty:
            raise ValidationFailed(details=dict.fromkeys(empty, "Is empty."))


class ListMixin:
    def list(self: Any, request: Request) -> Response:
        answer: Response = self.page(self.get_queryset())
        return answer


class RetrieveMixin:
    def retrieve(self: Any, request: Request, **lookup: Any) -> Response:
        return Response(self.represent_one(self.get_object()))
