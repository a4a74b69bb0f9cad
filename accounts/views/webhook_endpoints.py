"""Webhook endpoints and their deliveries. Every member may read, owners and admins may change."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.models import Delivery, WebhookEndpoint
from accounts.serializers.webhook_endpoints import (
    DeliveryOutput,
    EndpointChange,
    EndpointInput,
    EndpointOutput,
    NewEndpointOutput,
    delivery_data,
    endpoint_data,
    new_endpoint_data,
)
from accounts.viewsets import AccountViewSet
from accounts.webhooks import webhook_endpoints
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.api.viewsets import ListMixin, RetrieveMixin

DELIVERIES = (
    Delivery.objects.filter(endpoint__deleted_at=None)
    .select_related("event", "endpoint")
    .defer("event__body")
    .prefetch_related("attempts")
)


class WebhookEndpointViewSet(ListMixin, RetrieveMixin, AccountViewSet):
    tag = "Webhooks"
    queryset = WebhookEndpoint.objects.filter(deleted_at=None)
    representation = staticmethod(endpoint_data)
    endpoints = {
        "list": Endpoint(
            "list_webhook_endpoints",
            "List the webhook endpoints",
            scope=Scope.WEBHOOKS_READ,
            response=EndpointOutput,
            many=True,
            etag=True,
        ),
        "create": Endpoint(
            "create_webhook_endpoint",
            scope=Scope.WEBHOOKS_WRITE,
            request=EndpointInput,
            response=NewEndpointOutput,
            status=201,
            idempotency=Idempotency.ATOMIC,
            errors=("conflict",),
        ),
        "retrieve": Endpoint(
            "get_webhook_endpoint",
            "Show a webhook endpoint",
            scope=Scope.WEBHOOKS_READ,
            response=EndpointOutput,
            etag=True,
        ),
        "partial_update": Endpoint(
            "update_webhook_endpoint", scope=Scope.WEBHOOKS_WRITE, request=EndpointChange, response=EndpointOutput
        ),
        "destroy": Endpoint("delete_webhook_endpoint", scope=Scope.WEBHOOKS_WRITE),
        "rotate_secret": Endpoint(
            "rotate_webhook_secret",
            scope=Scope.WEBHOOKS_WRITE,
            response=NewEndpointOutput,
            idempotency=Idempotency.ATOMIC,
        ),
        "ping": Endpoint(
            "test_webhook_endpoint",
            scope=Scope.WEBHOOKS_WRITE,
            response=DeliveryOutput,
            status=202,
            idempotency=Idempotency.ATOMIC,
            errors=("invalid_state",),
        ),
        "deliveries": Endpoint(
            "list_webhook_deliveries", scope=Scope.WEBHOOKS_READ, response=DeliveryOutput, many=True, etag=True
        ),
    }

    def create(self, request: Request) -> Response:
        """Register a webhook endpoint.

        `secret` is shown this once.
        """
        return Response(new_endpoint_data(webhook_endpoints.create_endpoint(self.caller, **self.body)), status=201)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change a webhook endpoint."""
        endpoint = self.get_object()
        return Response(endpoint_data(webhook_endpoints.update_endpoint(self.caller, endpoint, **self.body)))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Remove a webhook endpoint."""
        webhook_endpoints.delete_endpoint(self.caller, self.get_object())
        return Response(status=204)

    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, pk: UUID) -> Response:
        """Get a new signing secret.

        For 24 hours every delivery is signed with both, the old one and the new one.
        """
        return Response(new_endpoint_data(webhook_endpoints.rotate_secret(self.caller, self.get_object())))

    @action(detail=True, methods=["post"], url_path="test")
    def ping(self, request: Request, pk: UUID) -> Response:
        """Send a ping to a webhook endpoint."""
        endpoint = self.get_object()
        return Response(delivery_data(webhook_endpoints.send_ping(endpoint, endpoint_data(endpoint))), status=202)

    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, pk: UUID) -> Response:
        """List what was sent to a webhook endpoint.

        With every attempt, for 30 days.
        """
        return self.page(DELIVERIES.filter(endpoint=self.get_object()), represent_deliveries)


class WebhookDeliveryViewSet(AccountViewSet):
    tag = "Webhooks"
    queryset = DELIVERIES
    owned_by: ClassVar[Mapping[str, str]] = {"endpoint__account": "account_id"}
    endpoints = {
        "retry": Endpoint(
            "retry_webhook_delivery",
            scope=Scope.WEBHOOKS_WRITE,
            response=DeliveryOutput,
            status=202,
            idempotency=Idempotency.ATOMIC,
            errors=("invalid_state",),
        ),
    }

    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: UUID) -> Response:
        """Send a delivery again now."""
        return Response(delivery_data(webhook_endpoints.retry_delivery(self.get_object())), status=202)


def represent_deliveries(rows: Sequence[Delivery]) -> list[dict[str, Any]]:
    return [delivery_data(delivery) for delivery in rows]
