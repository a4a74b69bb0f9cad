"""Viewsets of plans, fees, checkouts and the customer portal."""

from collections.abc import Mapping
from typing import ClassVar

from django.db.models import F, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from billing.checkout import checkouts
from billing.models import Fee, Plan
from billing.serializers.purchases import (
    SESSION_ID,
    CheckoutInput,
    CheckoutOutput,
    CheckoutStatusOutput,
    FeeOutput,
    PlanOutput,
    PortalOutput,
    plan_data,
)
from genvid import database_clock
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.api.viewsets import ListMixin

SESSION = OpenApiParameter("session_id", {"type": "string", "examples": [SESSION_ID]}, OpenApiParameter.PATH)


class PlanViewSet(ListMixin, AccountViewSet):
    tag = "Billing and usage"
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


class FeeViewSet(ListMixin, AccountViewSet):
    tag = "Billing and usage"
    representation = staticmethod(FeeOutput.of)
    endpoints = {
        "list": Endpoint(
            "list_fees",
            "List what is sold by the piece",
            scope=Scope.BILLING_READ,
            response=FeeOutput,
            many=True,
            description="The fees in force, in credits. Video is priced by the second: ask for a quote.",
            etag=True,
        ),
    }

    def get_queryset(self) -> QuerySet[Fee]:
        """They are the same for all accounts. Pages go by `created_at`."""
        return Fee.objects.in_force(database_clock.now()).annotate(created_at=F("valid_from"))


class CheckoutViewSet(AccountViewSet):
    tag = "Billing and usage"
    lookup_field = "session_id"
    lookup_value_converter = "str"
    endpoints = {
        "create": Endpoint(
            "create_checkout",
            scope=Scope.BILLING_WRITE,
            request=CheckoutInput,
            response=CheckoutOutput,
            status=201,
            idempotency=Idempotency.EXTERNAL,
            errors=("conflict",),
        ),
        "retrieve": Endpoint(
            "get_checkout", scope=Scope.BILLING_READ, response=CheckoutStatusOutput, parameters=(SESSION,), etag=True
        ),
    }

    def create(self, request: Request) -> Response:
        """Buy a plan or a pack.

        Opens a page of Stripe's. Credits come once it is paid there: a webhook (`payment.succeeded`) tells.
        """
        asked = checkouts.CheckoutRequest(**self.body)
        started = checkouts.start_checkout(self.caller, asked, checkout_id=self.object_id)
        return Response(started, status=201)

    def retrieve(self, request: Request, session_id: str) -> Response:
        """Show how far a purchase has come.

        For buyers who are back from Stripe's page.
        """
        return Response(checkouts.checkout_status(self.caller.account_id, session_id))


class PortalViewSet(AccountViewSet):
    tag = "Billing and usage"
    endpoints = {
        "create": Endpoint(
            "create_portal",
            scope=Scope.BILLING_WRITE,
            response=PortalOutput,
            status=201,
            idempotency=Idempotency.EXTERNAL,
            errors=("conflict",),
        ),
    }

    def create(self, request: Request) -> Response:
        """Open the customer portal.

        A page of Stripe's: change plan and card, cancel, find invoices.
        """
        return Response(checkouts.start_portal(self.caller, visit_id=self.object_id), status=201)
