"""Admin pages of plans (editable), purchases (read-only, with a refund action) and Stripe syncs."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from accounts.admin.confirmed_acts import offer
from billing import jobs, money
from billing.admin.customer_panels import PAYMENT_COLOURS
from billing.admin.money_acts import REFUND, REFUND_WARNING, ReasonForm, money_of
from billing.checkout import staff_refunds
from billing.enums import OPEN_DISPUTES
from billing.models import (
    Allowance,
    Checkout,
    Customer,
    Dispute,
    FormerCustomer,
    Funding,
    Invoice,
    Payment,
    Plan,
    PlanPrice,
    Refund,
    StripeSync,
    Subscription,
    TopUp,
    TopUpRule,
)
from billing.stripe.stripe_errors import BillingError
from genvid.admin import AppAdmin, ReadOnlyAdmin, ReadOnlyInline
from genvid.confirmation import is_confirmed, render_confirmation
from genvid.errors import DomainError
from genvid.jobs import enqueue_on_commit
from genvid.panels import coloured, linked
from genvid.staff_filters import state_filter

MAX_REFUNDS_AT_ONCE = 20


class PriceInline(ReadOnlyInline):
    model = PlanPrice
    fields = ("stripe_price_id", "amount", "currency", "interval", "credits", "is_current", "created_at")


@admin.register(Plan)
class PlanAdmin(AppAdmin):
    list_display = ("name", "code", "kind", "interval", "price", "credits", "tier", "is_active")
    list_filter = ("kind", "interval", "is_active")
    search_fields = ("name", "code")
    list_select_related = ("tier",)
    readonly_fields = ("stripe_product_id", "created_at")
    inlines = (PriceInline,)

    @admin.display(description="price", ordering="amount")
    def price(self, plan: Plan) -> str:
        return money.money_text(plan.amount, plan.currency)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Prices and subscribers depend on these.
        fixed = ("code", "kind", "interval", "currency") if obj else ()
        return (*self.readonly_fields, *fixed)

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        enqueue_on_commit(jobs.PUSH_PLANS)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class RefundInline(ReadOnlyInline):
    model = Refund
    fields = ("stripe_refund_id", "amount", "status", "created_at")


class DisputeInline(ReadOnlyInline):
    model = Dispute
    fields = ("stripe_dispute_id", "amount", "status", "reason", "after_loss", "created_at")


class FundingInline(ReadOnlyInline):
    model = Funding
    fields = ("balance_used", "balance_brought", "balance_voided", "time_returned", "credits_returned")


class AllowanceInline(ReadOnlyInline):
    model = Allowance
    fields = ("credits", "due_at", "expires_at", "granted_at", "void_at")


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "account_link", "description", "shown", "state", "credits_taken_back", "fraud_warned_at"),
    )
    account_link = linked("account", description="customer")
    list_filter = ("kind", "created_at", "fraud_warned_at")
    search_fields = ("account__name", "source_id", "stripe_charge_id", "stripe_payment_intent_id")
    list_select_related = ("account",)
    inlines = (RefundInline, DisputeInline, FundingInline, AllowanceInline)
    actions = ("refund",)

    @admin.display(description="amount", ordering="amount")
    def shown(self, payment: Payment) -> str:
        return money.money_text(payment.amount, payment.currency)

    @display(description="status", label={str(status): colour for status, colour in PAYMENT_COLOURS.items()})  # type: ignore[untyped-decorator]
    def state(self, payment: Payment) -> tuple[str, str]:
        return str(payment.status), str(payment.status.label)

    def has_refund_permission(self, request: HttpRequest) -> bool:
        allowed: bool = request.user.has_perm("billing.change_payment")
        return allowed

    @admin.action(description="Refund what is left of them, and take back their credits", permissions=["refund"])
    def refund(self, request: HttpRequest, payments: "QuerySet[Payment]") -> HttpResponse | None:
        chosen = list(payments.select_related("account")[: MAX_REFUNDS_AT_ONCE + 1])
        if len(chosen) > MAX_REFUNDS_AT_ONCE:
            self.message_user(request, f"At most {MAX_REFUNDS_AT_ONCE} payments at a time.", messages.ERROR)
            return None
        form = ReasonForm(request.POST) if is_confirmed(request) else ReasonForm()
        if form.is_valid():
            self._refund(request, chosen, form.cleaned_data["reason"])
            return None
        lines = [
            f"{each.account}: {each.description}, {money_of(each, each.amount - each.amount_lost)}" for each in chosen
        ]
        hidden = [("action", "refund"), *((ACTION_CHECKBOX_NAME, str(each.pk)) for each in chosen)]
        title = "Refund what is left"
        return render_confirmation(
            self, request, title=title, warning=REFUND_WARNING, form=form, things=lines, hidden=hidden
        )

    def _refund(self, request: HttpRequest, payments: Iterable[Payment], reason: str) -> None:
        staff_id = getattr(request.user, "pk", None)
        for payment in payments:
            try:
                staff_refunds.refund_payment(payment, staff_id=staff_id, reason=reason)
            except (DomainError, BillingError) as error:
                self.message_user(request, f"{payment}: {error}", messages.ERROR)
            else:
                self.log_change(request, payment, f"Refund what is left. {reason}")
                self.message_user(request, f"{payment}: refunded.", messages.SUCCESS)


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "stripe_dispute_id", "account", "shown", "status", "reason", "after_loss")
    list_filter = (
        state_filter({"open": ("Open", lambda rows: rows.filter(status__in=OPEN_DISPUTES))}),
        "status",
        "created_at",
    )
    search_fields = ("stripe_dispute_id", "payment__account__name", "payment__stripe_charge_id")
    list_select_related = ("payment__account",)

    @admin.display(description="account")
    def account(self, dispute: Dispute) -> str:
        return str(dispute.payment.account)

    @admin.display(description="amount", ordering="amount")
    def shown(self, dispute: Dispute) -> str:
        return money.money_text(dispute.amount, dispute.payment.currency)


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "account_link", "plan", "state", "current_period_end", "cancel_at_period_end", "grace_until"),
    )
    account_link = linked("account", description="customer")
    plan = linked("price__plan")
    state = coloured(
        "status",
        {
            "success": ["active", "trialing"],
            "warning": ["past_due", "incomplete", "paused"],
            "danger": ["unpaid", "incomplete_expired"],
        },
    )
    list_filter = ("status", "cancel_at_period_end")
    search_fields = ("stripe_subscription_id", "account__name")
    list_select_related = ("account", "price__plan")


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "account_link", "number", "state", "due", "paid")
    account_link = linked("account", description="customer")
    state = coloured("status", {"success": ["paid"], "info": ["open"], "danger": ["uncollectible"]})
    list_filter = ("status", "created_at")
    search_fields = ("number", "stripe_invoice_id", "account__name")
    list_select_related = ("account",)

    @admin.display(description="amount due", ordering="amount_due")
    def due(self, invoice: Invoice) -> str:
        return money.money_text(invoice.amount_due, invoice.currency)

    @admin.display(description="amount paid", ordering="amount_paid")
    def paid(self, invoice: Invoice) -> str:
        return money.money_text(invoice.amount_paid, invoice.currency)


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    list_display = ("stripe_customer_id", "account_link", "created_at")
    account_link = linked("account", description="customer")
    search_fields = ("account__name", "stripe_customer_id")
    list_select_related = ("account",)


@admin.register(FormerCustomer)
class FormerCustomerAdmin(ReadOnlyAdmin):
    list_display = ("stripe_customer_id", "account_link", "is_erased", "gone_at")
    account_link = linked("account", description="customer")
    search_fields = ("account__name", "stripe_customer_id")
    list_select_related = ("account",)


@admin.register(Checkout)
class CheckoutAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "account_link", "price", "state", "stripe_session_id")
    account_link = linked("account", description="customer")
    state = coloured("status", {"success": ["complete"], "info": ["open", "starting"]})
    list_filter = ("status", "created_at")
    search_fields = ("stripe_session_id", "account__name")
    list_select_related = ("account", "price")


@admin.register(TopUpRule)
class TopUpRuleAdmin(ReadOnlyAdmin):
    list_display = (
        *("__str__", "account_link", "enabled", "threshold", "plan", "monthly_limit", "paused_until", "pause_reason"),
    )
    account_link = linked("account", description="customer")
    list_filter = ("enabled", "pause_reason")
    search_fields = ("account__name",)
    list_select_related = ("account", "plan")


@admin.register(TopUp)
class TopUpAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "account_link", "amount", "state", "error", "stripe_payment_intent_id")
    account_link = linked("account", description="customer")
    state = coloured(
        "status", {"success": ["paid"], "info": ["pending"], "warning": ["needs_action"], "danger": ["failed"]}
    )
    list_filter = ("status", "created_at")
    search_fields = ("account__name", "stripe_payment_intent_id")
    list_select_related = ("account",)


@admin.register(StripeSync)
class StripeSyncAdmin(ReadOnlyAdmin):
    list_display = ("noted_at", "kind", "object_id", "due_at", "tries", "error", "done_at")
    list_filter = (state_filter({"stuck": ("Stuck", lambda rows: rows.stuck())}), "kind", "noted_at")
    search_fields = ("object_id", "error")


offer(PaymentAdmin, REFUND)
