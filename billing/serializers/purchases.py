"""Serializers of plans, purchases and payments. Amounts are minor units of `currency` (cents)."""

from typing import Any

from billing.enums import (
    CheckoutStatus,
    FeeUnit,
    Interval,
    InvoiceStatus,
    PaymentKind,
    PaymentStatus,
    PlanKind,
    Sold,
    SubscriptionStatus,
)
from billing.models import Invoice, Plan, Subscription, TopUpRule
from genvid.api import serializers as api

NO_SUBSCRIPTION = "none"
PACK, SESSION_ID = "100 credits", "cs_test_a1B2c3"
MAX_CREDITS = 1_000_000
MAX_AMOUNT = 100_000_000


class CurrencyField(api.TextField):
    description = "ISO 4217, in lower case."
    example = "usd"


class PlanOutput(api.OutputSerializer):
    id = api.IdField("plan")
    code = api.TextField(example="pack-100")
    name = api.TextField(example=PACK)
    kind = api.EnumField(PlanKind.choices, example="pack")
    interval = api.EnumField(Interval.choices, allow_null=True, help_text="Null for packs.")
    amount = api.MoneyField(example=1200)
    currency = CurrencyField()
    credits = api.CreditsField(
        help_text="Of a pack at once; of a subscription each month, yearly ones too.", example=100
    )
    trial_days = api.NumberField(help_text="Of an account's first subscription.", example=0)
    features = api.TextListField(example=["Good for 12 months"])


class FeeOutput(api.OutputSerializer):
    what = api.EnumField(Sold.choices, example="photo_avatar")
    credits = api.CreditsField(help_text="For one `unit`.", example=20)
    unit = api.EnumField(
        FeeUnit.choices,
        help_text="`each`: for one piece. `minute`: for each begun minute beyond the free seconds of the plan.",
        example="each",
    )


class CheckoutInput(api.StrictSerializer):
    plan_id = api.StrictUUIDField("plan")
    success_url = api.StrictCharField(
        max_length=2048,
        required=False,
        help_text="`{CHECKOUT_SESSION_ID}` in it becomes the session's id.",
        example=f"{api.EXAMPLE_SITE}/?checkout=done&session_id={{CHECKOUT_SESSION_ID}}",
    )
    cancel_url = api.StrictCharField(max_length=2048, required=False, example=f"{api.EXAMPLE_SITE}/?checkout=canceled")


class CheckoutOutput(api.OutputSerializer):
    checkout_url = api.TextField(
        help_text="Send the buyer there.", example=f"https://checkout.stripe.com/c/pay/{SESSION_ID}"
    )
    session_id = api.TextField(example=SESSION_ID)


class CheckoutStatusOutput(api.OutputSerializer):
    session_id = api.TextField(example=SESSION_ID)
    status = api.EnumField(CheckoutStatus.choices, example="complete")
    plan_id = api.IdField("plan")
    created_at = api.TimestampField()
    expires_at = api.TimestampField(allow_null=True, example=api.EXAMPLE_TIME)


class PortalOutput(api.OutputSerializer):
    portal_url = api.TextField(
        help_text="Good for minutes: send the customer there at once.",
        example="https://billing.stripe.com/p/session/test_a1B2c3",
    )


class SubscriptionOutput(api.OutputSerializer):
    status = api.EnumField(
        [(NO_SUBSCRIPTION, "none"), *SubscriptionStatus.choices],
        help_text="`none`: there never was one.",
        example="active",
    )
    plan = PlanOutput(allow_null=True, help_text="With what this subscriber pays and gets, whatever the list says now.")
    tier = api.TextField(help_text="What the account is entitled to now.", example="pro")
    cancel_at_period_end = api.FlagField()
    current_period_start = api.TimestampField(allow_null=True, example=api.EXAMPLE_TIME)
    current_period_end = api.TimestampField(allow_null=True, example=api.EXAMPLE_TIME)
    trial_ends_at = api.TimestampField(allow_null=True)
    canceled_at = api.TimestampField(allow_null=True)
    grace_until = api.TimestampField(
        allow_null=True, help_text="`past_due`: how long the tier holds although a payment is missing."
    )


class InvoiceOutput(api.OutputSerializer):
    id = api.IdField()
    number = api.TextField(allow_null=True, example="GV-0001")
    status = api.EnumField(InvoiceStatus.choices, example="paid")
    amount_due = api.MoneyField(example=1900)
    amount_paid = api.MoneyField(example=1900)
    currency = CurrencyField()
    period_start = api.TimestampField()
    period_end = api.TimestampField()
    hosted_url = api.TextField(
        allow_null=True,
        help_text="A page of Stripe's where it can be seen and paid.",
        example="https://invoice.stripe.com/i/acct_1/test_a1B2c3",
    )
    pdf_url = api.TextField(allow_null=True, example="https://pay.stripe.com/invoice/acct_1/test_a1B2c3/pdf")
    next_attempt_at = api.TimestampField(allow_null=True, help_text="When an unpaid one is tried again.")
    created_at = api.TimestampField()


class PaymentOutput(api.OutputSerializer):
    id = api.IdField()
    kind = api.EnumField(PaymentKind.choices)
    status = api.EnumField(PaymentStatus.choices, example="paid")
    description = api.TextField(example=PACK)
    amount = api.MoneyField(example=1200)
    amount_refunded = api.MoneyField(example=0)
    amount_disputed = api.MoneyField(help_text="With the card's bank, until it decides or for good.", example=0)
    currency = CurrencyField()
    credits_taken_back = api.CreditsField(example=0)
    receipt_url = api.TextField(allow_null=True, example="https://pay.stripe.com/receipts/test_a1B2c3")
    paid_at = api.TimestampField()
    created_at = api.TimestampField()


class TopUpInput(api.StrictSerializer):
    enabled = api.StrictBooleanField()
    threshold = api.StrictIntegerField(min_value=1, max_value=MAX_CREDITS, help_text="Credits.", example=50)
    plan_id = api.StrictUUIDField("plan", help_text="The pack to buy.")
    monthly_limit = api.StrictIntegerField(
        min_value=1, max_value=MAX_AMOUNT, help_text="Minor units a calendar month, UTC.", example=10_000
    )


class TopUpOutput(api.OutputSerializer):
    enabled = api.FlagField()
    threshold = api.CreditsField(allow_null=True, help_text="Bought when fewer credits are available.", example=50)
    plan_id = api.IdField("plan", allow_null=True)
    monthly_limit = api.MoneyField(
        allow_null=True, help_text="Minor units a calendar month, UTC; null: no rule.", example=10_000
    )
    spent_this_month = api.MoneyField(help_text="Minor units, this calendar month (UTC).", example=1200)
    paused_until = api.TimestampField(allow_null=True)
    pause_reason = api.TextField(
        allow_null=True,
        help_text="`monthly_limit`, `card_declined`, `authentication_required`, `no_card`; `disputed` switched it off.",
    )


def plan_data(plan: Plan) -> dict[str, Any]:
    return PlanOutput.of(plan, interval=plan.interval or None)


def invoice_data(invoice: Invoice) -> dict[str, Any]:
    links = {name: getattr(invoice, name) or None for name in ("number", "hosted_url", "pdf_url")}
    return InvoiceOutput.of(invoice, **links)


def subscription_data(subscription: Subscription | None, tier: str) -> dict[str, Any]:
    if subscription is None:
        return SubscriptionOutput.of(None, status=NO_SUBSCRIPTION, tier=tier, cancel_at_period_end=False)
    price = subscription.price
    # A subscriber keeps the terms of their price.
    paid = {name: getattr(price, name) for name in ("amount", "currency", "credits")}
    plan = PlanOutput.of(price.plan, interval=price.interval or None, **paid)
    return SubscriptionOutput.of(subscription, plan=plan, tier=tier)


def top_up_data(rule: TopUpRule | None, *, spent_this_month: int) -> dict[str, Any]:
    return TopUpOutput.of(
        rule,
        enabled=bool(rule and rule.enabled),
        spent_this_month=spent_this_month,
        pause_reason=(rule and rule.pause_reason) or None,
    )
