"""The base of every viewset: nothing is reachable that its class does not declare, and every request is read strictly.

A viewset names its actions in `endpoints` (`genvid.api.endpoints.Endpoint`). An action that is routed and not declared
fails when the URLs are loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
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
from genvid.api.filters import message_of, takes_nothing
from genvid.api.rate_limits import RateLimitState
from genvid.api.renderers import EnvelopeRenderer
from genvid.api.serializers import StrictSerializer, validated
from genvid.errors import DomainError, MalformedBody, NotFound, ValidationFailed

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""What Django puts in place of what is not UTF-8."""
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
RENDERER = EnvelopeRenderer()


class StrictViewSet(GenericViewSet[Any]):
    """Refuses methods, query parameters, bodies and callers that the endpoint does not declare, in this order:

    method, rate limit, credentials, scope, query parameters, body.
    """

    endpoints: ClassVar[Mapping[str, Endpoint]] = {}
    """Action to declaration. Those of the mixins and base classes count too."""
    tag: ClassVar[str]
    """The group of the OpenAPI document that the actions belong to; `genvid.openapi` describes it."""
    lookup_value_converter = "uuid"
    representation: Any
    """A function that shapes one row for the API: `staticmethod(plan_data)`."""
    quota: RateLimitState | None = None
    """What is left of the rate limit after this request; None while it was not counted."""
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
        """The declaration of the present action."""
        return self.endpoints[self.action]

    # ── From the request to the answer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """DRF's life-cycle without its negotiation, and rendered here: see `_release`."""
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
        """Run the action."""
        answer: HttpResponseBase = getattr(self, self.action)(request, *args, **kwargs)
        return answer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whatever has to be right before the action runs. Raises DomainError or DRF's APIException."""
        if settings.RATE_LIMITS:
            self._count(request)
        self.perform_authentication(request)
        self.check_permissions(request)
        self._check_query(request)
        if self.endpoint.request is None and request.method in WRITING:
            # Kept whole: once DRF has read the stream, the fingerprint of an Idempotency-Key could not.
            _ = request._request.body
            validated(StrictSerializer, request.data)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The answer with its ETag and what is left of the rate limit, ready to be rendered."""
        if isinstance(response, Response):
            if self._is_conditional(response):
                response = with_etag(request, response, max_age=self.endpoint.max_age)
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
        if isinstance(response, Response):
            vars(response).pop("renderer_context", None)

    # ── Who may

    def get_authenticators(self) -> list[BaseAuthentication]:
        """None where everybody may call: stale credentials must keep nobody from signing in."""
        endpoint = self.endpoint
        kinds = self.authentication_classes if endpoint.scope else endpoint.optional_authentication
        return [each() for each in kinds]

    def get_parsers(self) -> list[BaseParser]:
        endpoint = self.endpoints.get(self.action)
        return [each() for each in (endpoint and endpoint.parsers) or self.parser_classes]

    def get_permissions(self) -> list[BasePermission]:
        return cast("list[BasePermission]", super().get_permissions()) if self.endpoint.scope else []

    def _count(self, request: Request) -> None:
        """By what the credentials prove; bad ones count against the address, as none do. Raises RateLimited."""
        # Of the apps' own kind, which the base does not know.
        caller: Any = None
        refusal = None
        try:
            caller = request.user
        except DomainError as error:
            refusal = error
        if caller is None or not caller.is_authenticated:
            self.quota = rate_limits.of_anonymous(request, getattr(settings, self.endpoint.rate_limit))
        else:
            self.quota = rate_limits.of_caller(caller.account_id, caller.user_id, caller.key_id)
        self.quota.enforce()
        if refusal is not None:
            # DRF remembers a failed caller as nobody: asked a second time, it would let them pass as one.
            raise refusal

    # ── What the request says

    def allowed_query_params(self, request: Request) -> frozenset[str]:
        return self.endpoint.query_params

    def _check_query(self, request: Request) -> None:
        if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
            # Read by its length alone, it would pass for an empty one.
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
        """The body as the endpoint's serializer made it, read once. Raises ValidationError."""
        if self._body is None:
            media_type = (self.request.content_type or "").partition(";")[0].strip().lower()
            serializer = self.endpoint.serializer_for(media_type)
            if serializer is None:
                raise TypeError(f"{self.endpoint.operation_id} declares no body")
            self._body = validated(serializer, self.request.data, partial=self.endpoint.partial)
        return self._body

    def get_object(self) -> Any:
        """The row of `get_queryset()` that the address names. Raises NotFound, for another's row too."""
        if self._object is None:
            name = self.lookup_url_kwarg or self.lookup_field
            self._object = self.get_queryset().filter(**{self.lookup_field: self.kwargs[name]}).first()
        if self._object is None:
            raise NotFound
        return self._object

    def get_object_again(self) -> Any:
        """The row as it is now, after a wait, if its caller would still be let in. Raises as the first time."""
        again = self.initialize_request(self.request._request, *self.args, **self.kwargs)
        again.parser_context = {}
        self.perform_authentication(again)
        self.check_permissions(again)
        self.request, self._object = again, None
        return self.get_object()

    # ── What is answered

    def represent(self, rows: Sequence[Any]) -> list[Any]:
        """The rows as the API shows them."""
        return [self.representation(row) for row in rows]

    def represent_one(self, row: Any) -> Any:
        return self.represent([row])[0]

    def page(self, queryset: QuerySet[Any], represent: Callable[[Sequence[Any]], list[Any]] | None = None) -> Response:
        """One page of the queryset, filtered by the endpoint's filters. Raises ValidationFailed."""
        rows = self.paginate_queryset(self._filtered(queryset)) or []
        return self.get_paginated_response((represent or self.represent)(rows))

    def _filtered(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        filters = self.endpoint.filters
        if filters is None:
            return queryset
        self._refuse_empty(filters.base_filters)
        filterset = filters(self.request.query_params, queryset=queryset, request=self.request)
        if not filterset.is_valid():
            wrong = filterset.errors.items()
            details = {name: message_of(filters.base_filters[name], messages) for name, messages in wrong}
            raise ValidationFailed(details=details)
        found: QuerySet[Any] = filterset.qs
        return found

    def _refuse_empty(self, filters: Mapping[str, Any]) -> None:
        """An empty `batch_id` or `created_after` would show everything instead of nothing."""
        given = self.request.query_params
        empty = [name for name, each in filters.items() if given.get(name) == "" and not takes_nothing(each)]
        if empty:
            raise ValidationFailed(details=dict.fromkeys(empty, "Is empty."))


class ListMixin:
    """`GET` on a collection: a page of the caller's rows, newest first."""

    def list(self: Any, request: Request) -> Response:
        answer: Response = self.page(self.get_queryset())
        return answer


class RetrieveMixin:
    """`GET` on one of the caller's rows."""

    def retrieve(self: Any, request: Request, **lookup: Any) -> Response:
        return Response(self.represent_one(self.get_object()))
