"""What is for sale, and the ways to Stripe's pages."""

from collections.abc import Mapping
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from billing.models import Plan
from billing.serializers.buying import CheckoutInput, CheckoutOutput, CheckoutStatusOutput, PlanOutput, PortalOutput
from billing.services import checkouts
from billing.shapes import plan_data
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.api.viewsets import ListMixin


class PlanViewSet(ListMixin, AccountViewSet):
    """The price list, the same for every account."""

    queryset = Plan.objects.filter(is_active=True)
    owned_by: ClassVar[Mapping[str, str]] = {}
    representation = staticmethod(plan_data)
    endpoints = {
        "list": Endpoint(
            "list_plans",
            "List what is for sale",
            scope=Scope.BILLING_READ,
            response=PlanOutput,
            many=True,
            description="Subscriptions, monthly and yearly, and packs of credits.",
            etag=True,
        ),
    }


class CheckoutViewSet(AccountViewSet):
    """Purchases through Stripe's pay page. `session_id` is Stripe's."""

    lookup_field = "session_id"
    lookup_value_converter = "str"
    endpoints = {
        "create": Endpoint(
            "create_checkout",
            "Buy a plan or a pack",
            scope=Scope.BILLING_WRITE,
            request=CheckoutInput,
            response=CheckoutOutput,
            status=201,
            idempotency=Idempotency.EXTERNAL,
            errors=("conflict",),
            description="Opens a page of Stripe's. Credits come once it is paid there: a webhook "
            "(`payment.succeeded`) tells.",
        ),
        "retrieve": Endpoint(
            "get_checkout",
            "Show how far a purchase has come",
            scope=Scope.BILLING_READ,
            response=CheckoutStatusOutput,
            description="For buyers who are back from Stripe's page.",
            etag=True,
        ),
    }

    def create(self, request: Request) -> Response:
        wish = checkouts.Wish(**self.body)
        started = checkouts.start(self.caller, wish, idempotency_key=request.headers.get("Idempotency-Key"))
        return Response(started, status=201)

    def retrieve(self, request: Request, session_id: str) -> Response:
        return Response(checkouts.status_of(self.caller.account_id, session_id))


class PortalViewSet(AccountViewSet):
    """Stripe's customer portal."""

    endpoints = {
        "create": Endpoint(
            "create_portal",
            "Open the customer portal",
            scope=Scope.BILLING_WRITE,
            response=PortalOutput,
            status=201,
            idempotency=Idempotency.EXTERNAL,
            errors=("conflict",),
            description="A page of Stripe's: change plan and card, cancel, find invoices.",
        ),
    }

    def create(self, request: Request) -> Response:
        return Response(checkouts.open_portal(self.caller), status=201)
