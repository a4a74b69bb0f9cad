"""What billing does by the clock, and what the broker may have lost."""

from billing import mails
from billing.purchases import auto_top_up, low_balance, payments, subscriptions
from billing.stripe_sync import reconciliation, sync_queue


def sweep_all() -> None:
    """Everything that a lost message or a dead worker can leave behind. Called every few seconds."""
    sync_queue.sweep()
    mails.move_to_outbox()
    low_balance.sweep()
    auto_top_up.sweep()


def advance_periods() -> None:
    """Monthly allowances that are due, and days of grace that have ended. Called every few minutes."""
    payments.grant_due()
    subscriptions.end_grace()


def run_nightly() -> None:
    """Delete old rows, then compare with Stripe. Raises BillingError."""
    sync_queue.forget_old()
    mails.forget_old()
    reconciliation.reconcile()
