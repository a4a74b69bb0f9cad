"""Stripe's objects as dataclasses. Amounts are in minor units of `currency` (cents)."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from billing.enums import DisputeStatus, InvoiceStatus, RefundStatus, SubscriptionStatus


@dataclass(frozen=True)
class SessionLine:
    price_id: str
    quantity: int


@dataclass(frozen=True)
class SessionState:
    id: str
    mode: str
    status: str
    """open, complete or expired."""
    is_paid: bool
    """A bank debit completes the session days before it is paid."""
    customer_id: str
    payment_intent_id: str
    subscription_id: str
    amount: int
    currency: str
    created_at: datetime
    lines: list[SessionLine] = field(default_factory=list)


@dataclass(frozen=True)
class InvoiceLine:
    id: str
    price_id: str
    quantity: int
    amount: int
    """Negative for unused time. Before discounts, except for prorations."""
    is_proration: bool
    start: datetime
    end: datetime
    sign_of_zero: int = 0
    """For a proration of 0: time bought (1) or returned (-1) at a full discount, or a trial (0)."""

    @property
    def sign(self) -> int:
        return (self.amount > 0) - (self.amount < 0) or self.sign_of_zero


@dataclass(frozen=True)
class InvoiceState:
    id: str
    customer_id: str
    subscription_id: str
    status: InvoiceStatus
    reason: str
    """Stripe's `billing_reason`."""
    number: str
    amount_due: int
    amount_paid: int
    currency: str
    attempts: int
    created_at: datetime
    period_start: datetime
    period_end: datetime
    hosted_url: str
    pdf_url: str
    next_attempt_at: datetime | None
    paid_at: datetime | None
    payment_intent_id: str
    lines: list[InvoiceLine] = field(default_factory=list)
    credit_before: int = 0
    """The customer's balance, in their favour, in minor units."""
    credit_after: int = 0
    is_marked: bool = False
    """Has our metadata."""

    @property
    def sequence(self) -> int:
        """Position among the invoices of one customer, which tells apart those of one second; 0 when not numbered.

        Stripe numbers invoices per customer or per account: "4A6B-0007".
        """
        digits = re.search(r"(\d{1,18})$", self.number)
        return int(digits[1]) if digits else 0


@dataclass(frozen=True)
class SubscriptionState:
    id: str
    customer_id: str
    price_ids: list[str]
    """Staff may add foreign prices at Stripe."""
    status: SubscriptionStatus
    current_period_start: datetime
    current_period_end: datetime
    trial_ends_at: datetime | None
    cancel_at_period_end: bool
    canceled_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    is_marked: bool = False


@dataclass(frozen=True)
class RefundState:
    id: str
    amount: int
    status: RefundStatus
    created_at: datetime


@dataclass(frozen=True)
class DisputeState:
    id: str
    amount: int
    status: DisputeStatus
    reason: str
    created_at: datetime


@dataclass(frozen=True)
class ChargeState:
    id: str
    customer_id: str
    payment_intent_id: str
    amount: int
    currency: str
    is_paid: bool
    receipt_url: str
    created_at: datetime
    fraud_warned_at: datetime | None = None
    refunds: list[RefundState] = field(default_factory=list)
    disputes: list[DisputeState] = field(default_factory=list)
    is_marked: bool = False


@dataclass(frozen=True)
class IntentState:
    id: str
    status: str
    customer_id: str
    amount: int
    currency: str
    charge_id: str
    created_at: datetime
    top_up_id: str = ""
    error: str = ""
