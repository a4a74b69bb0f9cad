"""Periodic work of billing, and recovery of what the broker lost. Called by tasks."""

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
    """Grants due allowances and ends grace periods. Called every few minutes."""
    payments.grant_due_allowances()
    subscriptions.end_grace()


def run_nightly() -> None:
    """Deletes old rows, then compares with Stripe. Raises BillingError."""
    sync_queue.delete_finished_syncs()
    mails.delete_old_letters()
    reconciliation.reconcile()
