"""What billing does by the clock, and what the broker may have lost."""

from billing import mails
from billing.purchases import auto_top_up, low_balance, payments, subscriptions
from billing.stripe_sync import reconciliation, sync_queue


def sweep_all() -> None:
    """Everything that a lost message or a dead worker can leave behind. Called every few seconds."""
    sync_queue.sweep_syncs()
    mails.move_letters_to_outbox()
    low_balance.mail_low_balances()
    auto_top_up.sweep_top_ups()


def advance_periods() -> None:
    """Monthly allowances that are due, and days of grace that have ended. Called every few minutes."""
    payments.grant_due_allowances()
    subscriptions.end_grace()


def run_nightly() -> None:
    """Delete old rows, then compare with Stripe. Raises BillingError."""
    sync_queue.delete_finished_syncs()
    mails.delete_old_letters()
    reconciliation.reconcile()
