"""Viewsets of the subscription, invoices, payments and automatic purchases."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from billing.models import Invoice, Payment, TopUpRule
from billing.plans.plan_limits import tier_of
from billing.purchases import auto_top_up, subscriptions
from billing.representations import payment_data
from billing.serializers.purchases import (
    InvoiceOutput,
    PaymentOutput,
    SubscriptionOutput,
    TopUpInput,
    TopUpOutput,
    invoice_data,
    subscription_data,
    top_up_data,
)
from genvid.api.endpoints import Endpoint
from genvid.api.viewsets import ListMixin, RetrieveMixin
from genvid.errors import PermissionDenied


class SubscriptionViewSet(AccountViewSet):
    tag = "Billing and usage"
    endpoints = {
        "retrieve": Endpoint("get_subscription", scope=Scope.BILLING_READ, response=SubscriptionOutput, etag=True),
    }

    def retrieve(self, request: Request) -> Response:
        """Show the subscription.

        The present one, else the last.
        """
        account_id = self.caller.account_id
        return Response(subscription_data(subscriptions.current_subscription_of(account_id), tier_of(account_id)))


class InvoiceViewSet(ListMixin, AccountViewSet):
    tag = "Billing and usage"
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
    tag = "Billing and usage"
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
    tag = "Billing and usage"
    endpoints = {
        "retrieve": Endpoint("get_auto_top_up", scope=Scope.BILLING_READ, response=TopUpOutput),
        "update": Endpoint("set_auto_top_up", scope=Scope.BILLING_WRITE, request=TopUpInput, response=TopUpOutput),
    }

    def retrieve(self, request: Request) -> Response:
        """Show what is bought automatically."""
        return self._shown()

    def update(self, request: Request) -> Response:
        """Have credits bought when they run low.

        With the card that was saved last, within a monthly limit.
        """
        changes = self.body
        if self.caller.is_test:
            raise PermissionDenied("A test key cannot spend money.")
        auto_top_up.set_rule(self.caller, **changes)
        return self._shown()

    def _shown(self) -> Response:
        account_id = self.caller.account_id
        rule = TopUpRule.objects.filter(pk=account_id).first()
        return Response(top_up_data(rule, spent_this_month=auto_top_up.spent_this_month(account_id)))
