"""Choices for billing: ledger entries, payments, refunds, disputes, subscriptions, syncs."""

from django.db.models import TextChoices


class EntryKind(TextChoices):
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


class Sold(TextChoices):
    """What has a fee: all that is not paid by the second of video."""

    PHOTO_AVATAR = "photo_avatar", "photo avatar"
    DIGITAL_TWIN = "digital_twin", "digital twin"
    VOICE_CLONE = "voice_clone", "voice clone"
    SPEECH = "speech"


class FeeUnit(TextChoices):
    EACH = "each"
    MINUTE = "minute", "a begun minute"


class LotSource(TextChoices):
    SIGNUP = "signup", "sign-up"
    PACK = "pack"
    SUBSCRIPTION = "subscription"
    STAFF = "staff"
    REFUND = "refund"
    RETURNED = "returned", "taken back and returned"


class SignupGrantStatus(TextChoices):
    WAITING = "waiting", "waits for staff"
    GRANTED = "granted"
    DECLINED = "declined"


class AdjustmentStatus(TextChoices):
    WAITING = "waiting", "waits for a second member of staff"
    APPLIED = "applied"
    DECLINED = "declined"


class PlanKind(TextChoices):
    SUBSCRIPTION = "subscription"
    PACK = "pack"


class Interval(TextChoices):
    MONTH = "month"
    YEAR = "year"


class CheckoutStatus(TextChoices):
    STARTING = "starting", "not at Stripe yet"
    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class PaymentKind(TextChoices):
    PACK = "pack"
    SUBSCRIPTION = "subscription"
    TOP_UP = "top_up"


class PaymentStatus(TextChoices):
    DISPUTED = "disputed"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"
    PAID = "paid"


class RefundStatus(TextChoices):
    """Stripe's statuses. A refund only moves to a higher REFUND_RANK."""

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
RETURNING = frozenset({RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION, RefundStatus.SUCCEEDED})
"""The refund's money is, or will be, the customer's again."""


class DisputeStatus(TextChoices):
    """Our statuses, mapped from Stripe's in `billing.stripe.queries`."""

    INQUIRY = "inquiry", "a question of the bank; no money has moved"
    OPEN = "open", "the money is withdrawn until it is decided"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed", "an inquiry that came to nothing"


OPEN_DISPUTES = (DisputeStatus.INQUIRY, DisputeStatus.OPEN)
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
    NONE = "none", "there was none that ran"
    KEPT = "kept"
    PAUSED = "paused"
    CANCELED = "canceled"


class InvoiceStatus(TextChoices):
    """Stripe's statuses."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


class SubscriptionStatus(TextChoices):
    """Stripe's statuses."""

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
"""An account with one of these cannot start another subscription."""
ENTITLING = frozenset({SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE})
"""The plan's tier is in force. A past due subscription keeps it for the grace period."""


class TopUpStatus(TextChoices):
    PENDING = "pending"
    PAID = "paid"
    NEEDS_ACTION = "needs_action", "the bank wants its customer to confirm"
    FAILED = "failed"


class SyncKind(TextChoices):
    SESSION = "session", "checkout session"
    INVOICE = "invoice"
    SUBSCRIPTION = "subscription"
    CHARGE = "charge"
    PAYMENT_INTENT = "payment_intent", "payment intent"
    CUSTOMER = "customer"


class MailKind(TextChoices):
    RECEIPT = "receipt"
    REFUND = "refund"
    PAYMENT_FAILED = "payment_failed"
    DOWNGRADED = "downgraded"
    TRIAL_ENDING = "trial_ending"
    CREDITS_LOW = "credits_low"
    TOP_UP_NEEDS_ACTION = "top_up_needs_action"
    TOP_UP_FAILED = "top_up_failed"
    STAFF_ALARM = "staff_alarm"
