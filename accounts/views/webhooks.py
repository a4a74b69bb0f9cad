"""Webhook endpoints and what was sent to them. Everybody may look, owners and admins may change."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.idempotency import IDEMPOTENCY_KEY, Effect, idempotent
from accounts.models import Delivery, WebhookEndpoint
from accounts.serializers.webhooks import (
    DeliveryOutput,
    EndpointChange,
    EndpointInput,
    EndpointOutput,
    NewEndpointOutput,
    delivery_data,
    endpoint_data,
    new_endpoint_data,
)
from accounts.services import webhooks
from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.serializers import validated
from genvid.api.views import KeysetListView, StrictAPIView, one_or_404


def mine(request: Request) -> QuerySet[Any]:
    return WebhookEndpoint.objects.of(caller_of(request).account_id)


def deliveries_of(request: Request) -> QuerySet[Any]:
    """With what `delivery_data` needs."""
    told = Delivery.objects.filter(endpoint__account=caller_of(request).account_id, endpoint__deleted_at=None)
    return told.select_related("event", "endpoint").defer("event__body").prefetch_related("attempts")


class EndpointsView(KeysetListView):
    scopes: ClassVar = {"GET": Scope.WEBHOOKS_READ, "POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        responses=EndpointOutput(many=True), operation_id="list_webhook_endpoints", parameters=PAGE_PARAMETERS
    )
    def get(self, request: Request) -> Response:
        return self.page(mine(request))

    @extend_schema(
        request=EndpointInput,
        responses={201: NewEndpointOutput},
        operation_id="create_webhook_endpoint",
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request) -> Effect:
        wish = validated(EndpointInput, request.data)
        webhooks.check_url(wish["url"])
        return lambda: Response(new_endpoint_data(webhooks.create(caller_of(request), **wish)), status=201)

    def represent(self, rows: list[Any]) -> list[Any]:
        return [endpoint_data(endpoint) for endpoint in rows]


class EndpointView(StrictAPIView):
    scopes: ClassVar = {
        "GET": Scope.WEBHOOKS_READ,
        "PATCH": Scope.WEBHOOKS_WRITE,
        "DELETE": Scope.WEBHOOKS_WRITE,
    }

    @extend_schema(responses=EndpointOutput, operation_id="get_webhook_endpoint")
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(endpoint_data(one_or_404(mine(request), pk=pk)))

    @extend_schema(request=EndpointChange, responses=EndpointOutput, operation_id="update_webhook_endpoint")
    def patch(self, request: Request, pk: UUID) -> Response:
        endpoint, changes = one_or_404(mine(request), pk=pk), validated(EndpointChange, request.data)
        if "url" in changes:
            webhooks.check_url(changes["url"])
        return Response(endpoint_data(webhooks.change(caller_of(request), endpoint, **changes)))

    @extend_schema(responses={204: None}, operation_id="delete_webhook_endpoint")
    def delete(self, request: Request, pk: UUID) -> Response:
        webhooks.remove(caller_of(request), one_or_404(mine(request), pk=pk))
        return Response(status=204)


class RotateSecretView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.WEBHOOKS_WRITE}
    reads_body: ClassVar = frozenset()

    @extend_schema(
        request=None,
        responses=NewEndpointOutput,
        operation_id="rotate_webhook_secret",
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request, pk: UUID) -> Effect:
        endpoint = one_or_404(mine(request), pk=pk)
        return lambda: Response(new_endpoint_data(webhooks.rotate_secret(caller_of(request), endpoint)))


class TestEndpointView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.WEBHOOKS_WRITE}
    reads_body: ClassVar = frozenset()

    @extend_schema(
        request=None,
        responses={202: DeliveryOutput},
        operation_id="test_webhook_endpoint",
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request, pk: UUID) -> Effect:
        endpoint = one_or_404(mine(request), pk=pk)
        return lambda: Response(delivery_data(webhooks.ping(endpoint, endpoint_data(endpoint))), status=202)


class DeliveriesView(KeysetListView):
    scopes: ClassVar = {"GET": Scope.WEBHOOKS_READ}

    @extend_schema(
        responses=DeliveryOutput(many=True), operation_id="list_webhook_deliveries", parameters=PAGE_PARAMETERS
    )
    def get(self, request: Request, pk: UUID) -> Response:
        return self.page(deliveries_of(request).filter(endpoint=one_or_404(mine(request), pk=pk)))

    def represent(self, rows: list[Any]) -> list[Any]:
        return [delivery_data(delivery) for delivery in rows]


class RetryDeliveryView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.WEBHOOKS_WRITE}
    reads_body: ClassVar = frozenset()

    @extend_schema(
        request=None,
        responses={202: DeliveryOutput},
        operation_id="retry_webhook_delivery",
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request, pk: UUID) -> Effect:
        delivery = one_or_404(deliveries_of(request), pk=pk)
        return lambda: Response(delivery_data(webhooks.retry(delivery)), status=202)
