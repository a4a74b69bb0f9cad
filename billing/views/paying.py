"""What an account pays for: its subscription, invoices, payments, and what is bought by itself."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from billing.models import Invoice, Payment, TopUpRule
from billing.serializers.buying import InvoiceOutput, PaymentOutput, SubscriptionOutput, TopUpInput, TopUpOutput
from billing.services import subscribing, topping_up
from billing.shapes import invoice_data, payment_data, subscription_data
from billing.tiers import tier_of
from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.serializers import validated
from genvid.api.views import KeysetListView, StrictAPIView, one_or_404
from genvid.errors import PermissionDenied

READ: dict[str, str] = {"GET": Scope.BILLING_READ}


class SubscriptionView(StrictAPIView):
    scopes = READ

    @extend_schema(responses=SubscriptionOutput, operation_id="get_subscription")
    def get(self, request: Request) -> Response:
        account_id = caller_of(request).account_id
        return Response(subscription_data(subscribing.shown_of(account_id), tier_of(account_id)))


class InvoicesView(KeysetListView):
    scopes = READ

    @extend_schema(responses=InvoiceOutput(many=True), operation_id="list_invoices", parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        return self.page(Invoice.objects.filter(account=caller_of(request).account_id))

    def represent(self, rows: list[Any]) -> list[Any]:
        return [invoice_data(invoice) for invoice in rows]


class PaymentsView(KeysetListView):
    scopes = READ

    @extend_schema(responses=PaymentOutput(many=True), operation_id="list_payments", parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        return self.page(Payment.objects.filter(account=caller_of(request).account_id))

    def represent(self, rows: list[Any]) -> list[Any]:
        return [payment_data(payment) for payment in rows]


class PaymentView(StrictAPIView):
    scopes = READ

    @extend_schema(responses=PaymentOutput, operation_id="get_payment")
    def get(self, request: Request, pk: UUID) -> Response:
        mine = Payment.objects.filter(account=caller_of(request).account_id)
        return Response(payment_data(one_or_404(mine, pk=pk)))


class TopUpView(StrictAPIView):
    scopes: ClassVar = {"GET": Scope.BILLING_READ, "PUT": Scope.BILLING_WRITE}

    @extend_schema(responses=TopUpOutput, operation_id="get_auto_top_up")
    def get(self, request: Request) -> Response:
        return Response(_top_up_data(caller_of(request).account_id))

    @extend_schema(request=TopUpInput, responses=TopUpOutput, operation_id="set_auto_top_up")
    def put(self, request: Request) -> Response:
        caller, wish = caller_of(request), validated(TopUpInput, request.data)
        if caller.is_test:
            raise PermissionDenied("A test key cannot spend money.")
        topping_up.set_rule(caller, **wish)
        return Response(_top_up_data(caller.account_id))


def _top_up_data(account_id: UUID) -> dict[str, Any]:
    rule = TopUpRule.objects.filter(pk=account_id).first()
    return {
        "enabled": bool(rule and rule.enabled),
        "threshold": rule and rule.threshold,
        "plan_id": rule and rule.plan_id,
        "monthly_limit": rule and rule.monthly_limit,
        "spent_this_month": topping_up.spent_this_month(account_id),
        "paused_until": rule and rule.paused_until,
        "pause_reason": (rule and rule.pause_reason) or None,
    }
