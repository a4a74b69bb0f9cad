"""Words of this room."""

from django.db.models import TextChoices


class EntryKind(TextChoices):
    """Why a balance moved."""

    GRANT = "grant"
    CHARGE = "charge"
    REFUND = "refund"
    EXPIRY = "expiry"
    CLAWBACK = "clawback"
    ADJUSTMENT = "adjustment"


class HoldStatus(TextChoices):
    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"


class LotSource(TextChoices):
    """Where credits came from."""

    SIGNUP = "signup", "sign-up"
    PACK = "pack"
    SUBSCRIPTION = "subscription"
    STAFF = "staff"
    REFUND = "refund"
    RETURNED = "returned", "taken back and returned"


class SignupGrantStatus(TextChoices):
    """What became of the sign-up credits of a mailbox."""

    WAITING = "waiting", "waits for staff"
    GRANTED = "granted"
    DECLINED = "declined"


class PlanKind(TextChoices):
    SUBSCRIPTION = "subscription"
    PACK = "pack"


class Interval(TextChoices):
    """How often a subscription is billed. Its credits come monthly either way."""

    MONTH = "month"
    YEAR = "year"


class CheckoutStatus(TextChoices):
    """How far a purchase on Stripe's pay page has come."""

    STARTING = "starting", "not at Stripe yet"
    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class PaymentKind(TextChoices):
    """What was paid for."""

    PACK = "pack"
    SUBSCRIPTION = "subscription"
    TOP_UP = "top_up"


class PaymentStatus(TextChoices):
    """What has become of a payment, the worst first."""

    DISPUTED = "disputed"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"
    PAID = "paid"


class RefundStatus(TextChoices):
    """Stripe's words. A refund only ever moves down this list."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


REFUND_RANK = {
    RefundStatus.PENDING: 0,
    RefundStatus.REQUIRES_ACTION: 0,
    RefundStatus.SUCCEEDED: 1,
    RefundStatus.FAILED: 2,
    RefundStatus.CANCELED: 2,
}
"""News of a lower rank is older news."""
RETURNING = frozenset({RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION, RefundStatus.SUCCEEDED})
"""Refunds whose money is, or will be, the customer's again."""


class DisputeStatus(TextChoices):
    """Ours for Stripe's: whether money is gone, and whether that is the last word."""

    INQUIRY = "inquiry", "a question of the bank; no money has moved"
    OPEN = "open", "the money is withdrawn until it is decided"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed", "an inquiry that came to nothing"


DISPUTE_RANK = {
    DisputeStatus.INQUIRY: 0,
    DisputeStatus.OPEN: 1,
    DisputeStatus.WON: 2,
    DisputeStatus.LOST: 2,
    DisputeStatus.CLOSED: 2,
}
WITHDRAWN = frozenset({DisputeStatus.OPEN, DisputeStatus.LOST})
"""Disputes whose money is with the customer's bank."""


class AfterLoss(TextChoices):
    """What became of the subscription whose payment a dispute took."""

    NONE = "none", "there was none that ran"
    KEPT = "kept"
    PAUSED = "paused"
    CANCELED = "canceled"


class InvoiceStatus(TextChoices):
    """Stripe's words."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


class SubscriptionStatus(TextChoices):
    """Stripe's words."""

    INCOMPLETE = "incomplete", "its first payment is still to come"
    INCOMPLETE_EXPIRED = "incomplete_expired", "its first payment never came"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due", "a renewal failed, and is tried again"
    UNPAID = "unpaid", "a renewal failed for good"
    PAUSED = "paused"
    CANCELED = "canceled"


LIVE = frozenset(
    {
        SubscriptionStatus.TRIALING,
        SubscriptionStatus.ACTIVE,
        SubscriptionStatus.PAST_DUE,
        SubscriptionStatus.UNPAID,
        SubscriptionStatus.PAUSED,
    }
)
"""Subscriptions beside which an account cannot take another."""
IN_GOOD_STANDING = frozenset({SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE})
"""Subscriptions whose tier holds. A past due one keeps it for the days of grace."""


class TopUpStatus(TextChoices):
    """How far an automatic purchase has come."""

    PENDING = "pending"
    PAID = "paid"
    NEEDS_ACTION = "needs_action", "the bank wants its customer to confirm"
    FAILED = "failed"


class SyncKind(TextChoices):
    """What kind of thing of Stripe's is to be looked at again."""

    SESSION = "session", "checkout session"
    INVOICE = "invoice"
    SUBSCRIPTION = "subscription"
    CHARGE = "charge"
    PAYMENT_INTENT = "payment_intent", "payment intent"
    CUSTOMER = "customer"


class MailKind(TextChoices):
    """What a mail about money tells."""

    RECEIPT = "receipt"
    REFUND = "refund"
    PAYMENT_FAILED = "payment_failed"
    DOWNGRADED = "downgraded"
    TRIAL_ENDING = "trial_ending"
    CREDITS_LOW = "credits_low"
    TOP_UP_NEEDS_ACTION = "top_up_needs_action"
    TOP_UP_FAILED = "top_up_failed"
    STAFF_ALARM = "staff_alarm"
