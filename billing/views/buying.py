"""What is for sale, and the ways to Stripe's pages."""

from functools import partial
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.idempotency import IDEMPOTENCY_KEY, Effect, idempotent
from billing.models import Plan
from billing.serializers.buying import CheckoutInput, CheckoutOutput, CheckoutStatusOutput, PlanOutput, PortalOutput
from billing.services import checkouts
from billing.shapes import plan_data
from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.serializers import validated
from genvid.api.views import KeysetListView, StrictAPIView


class PlansView(KeysetListView):
    scopes: ClassVar = {"GET": Scope.BILLING_READ}

    @extend_schema(responses=PlanOutput(many=True), operation_id="list_plans", parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        return self.page(Plan.objects.filter(is_active=True))

    def represent(self, rows: list[Any]) -> list[Any]:
        return [plan_data(plan) for plan in rows]


class CheckoutView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.BILLING_WRITE}

    @extend_schema(
        request=CheckoutInput,
        responses={201: CheckoutOutput},
        operation_id="create_checkout",
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request) -> Effect:
        caller, wish = caller_of(request), checkouts.Wish(**validated(CheckoutInput, request.data))
        # Stripe is asked here, before the transaction: the effect only hands over its answer.
        begun = checkouts.start(caller, wish, idempotency_key=request.headers.get("Idempotency-Key"))
        return partial(Response, begun, status=201)


class CheckoutStatusView(StrictAPIView):
    scopes: ClassVar = {"GET": Scope.BILLING_READ}

    @extend_schema(responses=CheckoutStatusOutput, operation_id="get_checkout")
    def get(self, request: Request, session_id: str) -> Response:
        return Response(checkouts.status_of(caller_of(request).account_id, session_id))


class PortalView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.BILLING_WRITE}
    reads_body: ClassVar = frozenset()

    @extend_schema(
        request=None, responses={201: PortalOutput}, operation_id="create_portal", parameters=[IDEMPOTENCY_KEY]
    )
    @idempotent
    def post(self, request: Request) -> Effect:
        opened = checkouts.open_portal(caller_of(request))
        return partial(Response, opened, status=201)
