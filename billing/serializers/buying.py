"""Shapes of what is for sale, what was bought, and how it is paid. Amounts are minor units of `currency` (cents)."""

from typing import Any

from rest_framework import serializers

from billing.enums import (
    CheckoutStatus,
    Interval,
    InvoiceStatus,
    PaymentKind,
    PaymentStatus,
    PlanKind,
    SubscriptionStatus,
)
from billing.shapes import NOBODY
from genvid.api.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
)

MOST_CREDITS = 1_000_000
MOST_MONEY = 100_000_000


class PlanOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=PlanKind.choices)
    interval = serializers.ChoiceField(choices=Interval.choices, allow_null=True, help_text="Null for packs.")
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    credits = serializers.IntegerField(help_text="Of a pack at once; of a subscription each month, yearly ones too.")
    trial_days = serializers.IntegerField(help_text="Of an account's first subscription.")
    features = serializers.ListField(child=serializers.CharField())


class CheckoutInput(StrictSerializer):
    plan_id = StrictUUIDField()
    success_url = StrictCharField(
        max_length=2048, required=False, help_text="`{CHECKOUT_SESSION_ID}` in it becomes the session's id."
    )
    cancel_url = StrictCharField(max_length=2048, required=False)


class CheckoutOutput(serializers.Serializer[Any]):
    checkout_url = serializers.CharField(help_text="Send the buyer there.")
    session_id = serializers.CharField()


class CheckoutStatusOutput(serializers.Serializer[Any]):
    session_id = serializers.CharField()
    status = serializers.ChoiceField(choices=CheckoutStatus.choices)
    plan_id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class PortalOutput(serializers.Serializer[Any]):
    portal_url = serializers.CharField(help_text="Good for minutes: send the customer there at once.")


class SubscriptionOutput(serializers.Serializer[Any]):
    status = serializers.ChoiceField(
        choices=[(NOBODY, "none"), *SubscriptionStatus.choices], help_text="`none`: there never was one."
    )
    plan = PlanOutput(allow_null=True, help_text="With what this subscriber pays and gets, whatever the list says now.")
    tier = serializers.CharField(help_text="What the account is entitled to now.")
    cancel_at_period_end = serializers.BooleanField()
    current_period_start = serializers.DateTimeField(allow_null=True)
    current_period_end = serializers.DateTimeField(allow_null=True)
    trial_ends_at = serializers.DateTimeField(allow_null=True)
    canceled_at = serializers.DateTimeField(allow_null=True)
    grace_until = serializers.DateTimeField(
        allow_null=True, help_text="`past_due`: how long the tier holds although a payment is missing."
    )


class InvoiceOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=InvoiceStatus.choices)
    amount_due = serializers.IntegerField()
    amount_paid = serializers.IntegerField()
    currency = serializers.CharField()
    period_start = serializers.DateTimeField()
    period_end = serializers.DateTimeField()
    hosted_url = serializers.CharField(allow_null=True, help_text="A page of Stripe's where it can be seen and paid.")
    pdf_url = serializers.CharField(allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True, help_text="When an unpaid one is tried again.")
    created_at = serializers.DateTimeField()


class PaymentOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=PaymentKind.choices)
    status = serializers.ChoiceField(choices=PaymentStatus.choices)
    description = serializers.CharField()
    amount = serializers.IntegerField()
    amount_refunded = serializers.IntegerField()
    amount_disputed = serializers.IntegerField(help_text="With the card's bank, until it decides or for good.")
    currency = serializers.CharField()
    credits_taken_back = serializers.IntegerField()
    receipt_url = serializers.CharField(allow_null=True)
    paid_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()


class TopUpInput(StrictSerializer):
    enabled = StrictBooleanField()
    threshold = StrictIntegerField(min_value=1, max_value=MOST_CREDITS, help_text="Credits.")
    plan_id = StrictUUIDField(help_text="The pack to buy.")
    monthly_limit = StrictIntegerField(
        min_value=1, max_value=MOST_MONEY, help_text="Minor units a calendar month, UTC."
    )


class TopUpOutput(serializers.Serializer[Any]):
    enabled = serializers.BooleanField()
    threshold = serializers.IntegerField(allow_null=True, help_text="Bought when fewer credits are available.")
    plan_id = serializers.UUIDField(allow_null=True)
    monthly_limit = serializers.IntegerField(allow_null=True)
    spent_this_month = serializers.IntegerField()
    paused_until = serializers.DateTimeField(allow_null=True)
    pause_reason = serializers.CharField(
        allow_null=True,
        help_text="`monthly_limit`, `card_declined`, `authentication_required`, `no_card`; `disputed` switched it off.",
    )
