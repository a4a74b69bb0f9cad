"""What an account pays for: its subscription, invoices, payments, and what is bought automatically."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from billing.models import Invoice, Payment, TopUpRule
from billing.serializers.buying import InvoiceOutput, PaymentOutput, SubscriptionOutput, TopUpInput, TopUpOutput
from billing.services import subscribing, topping_up
from billing.shapes import invoice_data, payment_data, subscription_data
from billing.tiers import tier_of
from genvid.api.endpoints import Endpoint
from genvid.api.viewsets import ListMixin, RetrieveMixin
from genvid.errors import PermissionDenied


class SubscriptionViewSet(AccountViewSet):
    """The subscription of the caller's account: the present one, else the last."""

    endpoints = {
        "retrieve": Endpoint(
            "get_subscription",
            "Show the subscription",
            scope=Scope.BILLING_READ,
            response=SubscriptionOutput,
            description="The present one, else the last.",
            etag=True,
        ),
    }

    def retrieve(self, request: Request) -> Response:
        account_id = self.caller.account_id
        return Response(subscription_data(subscribing.shown_of(account_id), tier_of(account_id)))


class InvoiceViewSet(ListMixin, AccountViewSet):
    queryset = Invoice.objects.all()
    representation = staticmethod(invoice_data)
    endpoints = {
        "list": Endpoint(
            "list_invoices",
            "List the invoices",
            scope=Scope.BILLING_READ,
            response=InvoiceOutput,
            many=True,
            description="With links to their pages and PDFs.",
            etag=True,
        ),
    }


class PaymentViewSet(ListMixin, RetrieveMixin, AccountViewSet):
    queryset = Payment.objects.all()
    representation = staticmethod(payment_data)
    endpoints = {
        "list": Endpoint(
            "list_payments",
            "List the payments",
            scope=Scope.BILLING_READ,
            response=PaymentOutput,
            many=True,
            description="And what went back of each, by refund or dispute.",
            etag=True,
        ),
        "retrieve": Endpoint("get_payment", "Show a payment", scope=Scope.BILLING_READ, response=PaymentOutput),
    }


class AutoTopUpViewSet(AccountViewSet):
    """The rule by which an account buys credits when they run low: one for each account."""

    endpoints = {
        "retrieve": Endpoint(
            "get_auto_top_up", "Show what is bought automatically", scope=Scope.BILLING_READ, response=TopUpOutput
        ),
        "update": Endpoint(
            "set_auto_top_up",
            "Have credits bought when they run low",
            scope=Scope.BILLING_WRITE,
            request=TopUpInput,
            response=TopUpOutput,
            description="With the card that was saved last, within a monthly limit.",
        ),
    }

    def retrieve(self, request: Request) -> Response:
        return Response(_top_up_data(self.caller.account_id))

    def update(self, request: Request) -> Response:
        changes = self.body
        if self.caller.is_test:
            raise PermissionDenied("A test key cannot spend money.")
        topping_up.set_rule(self.caller, **changes)
        return Response(_top_up_data(self.caller.account_id))


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
