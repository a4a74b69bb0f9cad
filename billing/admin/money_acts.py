"""Acts of staff on money: credits by hand, their second confirmation, refunds of payments."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from accounts.admin.confirmed_acts import REFUSALS, ConfirmedAct
from billing import money
from billing.checkout import staff_refunds
from billing.enums import AdjustmentStatus
from billing.models import CreditAdjustment, Payment, Wallet
from billing.purchases import staff_credits
from billing.stripe.stripe_errors import BillingError

REFUSALS.append(BillingError)
MAX_CREDITS = 10_000_000
REASON = "Why (the client reads it in the ledger)"
AUDIT_REASON = "Why (the account's owners read it in their audit log)"

REFUND_WARNING = (
    "Money goes back through Stripe to the card that paid, and the credits that it bought are taken "
    "back, below zero if they are spent. To give back the credits of one video, refund on the video's page."
)


class CreditsForm(forms.Form):
    credits = forms.IntegerField(
        label="Credits: 50 gives fifty, -50 takes fifty",
        min_value=-MAX_CREDITS,
        max_value=MAX_CREDITS,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    reason = forms.CharField(label=REASON, max_length=150, widget=UnfoldAdminTextInputWidget)
    may_overdraw = forms.BooleanField(
        label="Take even what is not there: the wallet may fall below zero", required=False, widget=UnfoldBooleanWidget
    )

    def clean_credits(self) -> int:
        number: int = self.cleaned_data["credits"]
        if number == 0:
            raise forms.ValidationError("Say how many.")
        return number


class ReasonForm(forms.Form):
    reason = forms.CharField(label=AUDIT_REASON, max_length=150, widget=UnfoldAdminTextInputWidget)


class RefundForm(ReasonForm):
    amount = forms.DecimalField(min_value=0, max_digits=15, widget=UnfoldAdminDecimalFieldWidget)
    field_order = ("amount", "reason")

    def __init__(self, payment: Payment, data: Any = None) -> None:
        left, unit = payment.amount - payment.amount_lost, money.minor_units(payment.currency)
        super().__init__(data, initial={"amount": Decimal(left) / unit})
        self.payment, self.unit = payment, unit
        self.fields["amount"].label = f"Amount in {payment.currency.upper()}, of {money_of(payment, left)} left"

    def clean_amount(self) -> int:
        """Minor units."""
        wanted = self.cleaned_data["amount"] * self.unit
        left = self.payment.amount - self.payment.amount_lost
        if wanted != int(wanted) or not 0 < wanted <= left:
            raise forms.ValidationError(f"Between nothing and {money_of(self.payment, left)}.")
        return int(wanted)


def money_of(payment: Payment, amount: int) -> str:
    return money.money_text(amount, payment.currency)


def _adjust(wallet: Wallet, *, staff_id: UUID, token: UUID, credits: int, reason: str, may_overdraw: bool) -> str:
    made = staff_credits.adjust_credits(
        wallet.pk, credits, reason=reason, staff_id=staff_id, token=token, may_overdraw=may_overdraw
    )
    if made.status == AdjustmentStatus.APPLIED or CreditAdjustment.objects.get(pk=made.pk).status != made.status:
        return f"{credits:+d} credits: done."
    return f"{credits:+d} credits wait for a second member of staff: it is more than you may move alone today."


def _confirm(adjustment: CreditAdjustment, *, staff_id: UUID, token: UUID) -> str:
    staff_credits.confirm_adjustment(adjustment, staff_id=staff_id)
    return f"{adjustment.credits:+d} credits: done."


def _decline(adjustment: CreditAdjustment, *, staff_id: UUID, token: UUID) -> str:
    staff_credits.decline_adjustment(adjustment, staff_id=staff_id)
    return f"{adjustment.credits:+d} credits: declined."


def _refund(payment: Payment, *, staff_id: UUID, token: UUID, amount: int, reason: str) -> str:
    staff_refunds.refund_payment_once(payment, amount=amount, reason=reason, staff_id=staff_id, token=token)
    return f"{money_of(payment, amount)} go back through Stripe; the credits follow when Stripe says so."


def _what_was_asked(adjustment: CreditAdjustment) -> str:
    who = adjustment.requested_by or "Somebody"
    how = ", even below zero" if adjustment.may_overdraw else ""
    return f"{who} asked for {adjustment.credits:+d} credits for {adjustment.account}{how}: {adjustment.reason}"


def _bare_form(row: Any, data: Any = None) -> forms.Form:
    return forms.Form(data)


ADJUST = ConfirmedAct(
    "adjust",
    "Give or take credits",
    "billing.change_wallet",
    _adjust,
    lambda wallet: (
        f"{wallet.available} credits are available. What you give is a new lot that never expires; "
        "what you take comes from the lots that expire first."
    ),
    lambda wallet: wallet.pk,
    lambda wallet, data=None: CreditsForm(data),
)
CONFIRM = ConfirmedAct(
    "confirm",
    "Confirm",
    "billing.change_creditadjustment",
    _confirm,
    _what_was_asked,
    lambda adjustment: adjustment.account_id,
    _bare_form,
)
DECLINE = ConfirmedAct(
    "decline",
    "Decline",
    "billing.change_creditadjustment",
    _decline,
    lambda adjustment: "No credits will move.",
    lambda adjustment: adjustment.account_id,
    _bare_form,
)
REFUND = ConfirmedAct(
    "refund",
    "Refund money",
    "billing.change_payment",
    _refund,
    lambda payment: REFUND_WARNING,
    lambda payment: payment.account_id,
    RefundForm,
)
