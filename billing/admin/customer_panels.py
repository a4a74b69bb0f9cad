"""Panels of the customer's page: wallet and plan, credits by hand, payments, ledger. All read by index."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.admin.confirmed_acts import link_of
from accounts.models import Account
from billing import money
from billing.admin.money_acts import ADJUST, CONFIRM, DECLINE, REFUND
from billing.enums import AdjustmentStatus, PaymentStatus, SubscriptionStatus
from billing.models import CreditAdjustment, Customer, LedgerEntry, Payment, Subscription, Wallet
from billing.stripe.dashboard import dashboard_url
from genvid.panels import Cell, Link, Panel, label, link, link_reference, link_to, links, list_of, moment, panel

SHOWN = 10
PAGE = "accounts.account"
PAYMENT_COLOURS: dict[Any, str] = {
    PaymentStatus.PAID: "success",
    PaymentStatus.DISPUTED: "danger",
    PaymentStatus.REFUNDED: "warning",
    PaymentStatus.PARTIALLY_REFUNDED: "warning",
}
ADJUSTMENT_COLOURS: dict[Any, str] = {AdjustmentStatus.APPLIED: "success", AdjustmentStatus.WAITING: "warning"}


@panel(PAGE, order=10, permission="billing.view_wallet")
def wallet_and_plan(request: HttpRequest, account: Account) -> Panel:
    wallet = Wallet.objects.filter(pk=account.pk).select_related("tier").first()
    if wallet is None:
        return Panel("Wallet and plan", (), [], note="This account has no wallet.")
    facts: list[tuple[str, Cell]] = [
        ("Available", label(f"{wallet.available} credits", "danger" if wallet.available < 0 else "success")),
        ("Balance", link_to(wallet, f"{wallet.balance} credits")),
        ("Held", f"{wallet.held} credits"),
        ("Limits", link_to(wallet.tier) or "free"),
    ]
    buttons = [link_of(request, wallet, ADJUST)]
    if request.user.has_perm("billing.view_subscription"):
        facts.append(("Subscription", _subscription(account)))
    if request.user.has_perm("billing.view_customer"):
        buttons.append(_at_stripe(account))
    return Panel("Wallet and plan", [name for name, _ in facts], [[shown for _, shown in facts]],
                 [each for each in buttons if each])  # fmt: skip


def _subscription(account: Account) -> Cell:
    newest = Subscription.objects.filter(account=account).select_related("price__plan").first()
    if newest is None:
        return None
    end = f"{newest.price.plan.name}: {newest.get_status_display()} until {newest.current_period_end:%Y-%m-%d}"
    is_good = newest.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING)
    return link(end, reverse("admin:billing_subscription_change", args=[newest.pk])) if is_good else link_to(newest)


def _at_stripe(account: Account) -> Link | None:
    customer = Customer.objects.filter(pk=account.pk).first()
    url = dashboard_url("customers", customer.stripe_customer_id if customer else None)
    return Link("Open at Stripe", url, is_outside=True) if url else None


@panel(PAGE, order=15, permission="billing.view_creditadjustment")
def credits_by_hand(request: HttpRequest, account: Account) -> Panel:
    found = CreditAdjustment.objects.filter(account=account).select_related("account", "requested_by", "decided_by")
    rows = [
        (link_to(each, moment(each.requested_at)), f"{each.credits:+d}", each.reason, link_to(each.requested_by),
         label(each.status, ADJUSTMENT_COLOURS.get(each.status, "")), link_to(each.decided_by),
         _decisions(request, each))
        for each in found[:SHOWN]
    ]  # fmt: skip
    headers = ("When", "Credits", "Why", "Asked by", "Status", "Decided by", "Acts")
    return Panel("Credits by hand", headers, rows)


def _decisions(request: HttpRequest, adjustment: CreditAdjustment) -> Cell:
    if adjustment.status != AdjustmentStatus.WAITING:
        return None
    may_confirm = adjustment.requested_by_id != request.user.pk
    return links(link_of(request, adjustment, CONFIRM) if may_confirm else None, link_of(request, adjustment, DECLINE))


@panel(PAGE, order=30, permission="billing.view_payment")
def payments(request: HttpRequest, account: Account) -> Panel:
    found = Payment.objects.filter(account=account)[:SHOWN]
    rows = [
        (link_to(each, moment(each.paid_at)), each.description, money.money_text(each.amount, each.currency),
         label(each.status.label, PAYMENT_COLOURS[each.status]), _back(each), links(*_acts_on(request, each)))
        for each in found
    ]  # fmt: skip
    headers = ("Paid", "For", "Amount", "Status", "Given back", "Acts")
    return Panel("Payments", headers, rows, [Link("All payments", list_of(Payment, account__id__exact=account.pk))])


def _back(payment: Payment) -> str | None:
    return money.money_text(payment.amount_lost, payment.currency) if payment.amount_lost else None


def _acts_on(request: HttpRequest, payment: Payment) -> list[Link | None]:
    can_be_refunded = payment.stripe_payment_intent_id and payment.amount_lost < payment.amount
    at_stripe = dashboard_url("payments", payment.stripe_payment_intent_id)
    return [
        link_of(request, payment, REFUND) if can_be_refunded else None,
        Link("At Stripe", at_stripe) if at_stripe else None,
    ]


@panel(PAGE, order=35, permission="billing.view_ledgerentry")
def ledger(request: HttpRequest, account: Account) -> Panel:
    found = LedgerEntry.objects.filter(wallet=account.pk)[:SHOWN]
    rows = [
        (link_to(each, moment(each.created_at)), each.kind, f"{each.credits:+d}", each.balance_after, each.description,
         link_reference(each.reference))
        for each in found
    ]  # fmt: skip
    headers = ("When", "Kind", "Credits", "Balance", "What", "Reference")
    everything = Link("Whole ledger", list_of(LedgerEntry, wallet__exact=account.pk))
    return Panel("Ledger", headers, rows, [everything])
