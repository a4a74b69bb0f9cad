"""Periodic work of billing. Called by `billing.tasks`."""

from billing import mails
from billing.purchases import auto_top_up, low_balance, payments, subscriptions
from billing.stripe_sync import reconciliation, sync_queue


def sweep_all() -> None:
    """Recovers work that a lost message or a dead worker left."""
    sync_queue.sweep_syncs()
    mails.move_former_mails_to_outbox()
    low_balance.mail_low_balances()
    auto_top_up.sweep_top_ups()


def advance_periods() -> None:
    payments.grant_due_allowances()
    subscriptions.end_grace()


def run_nightly() -> None:
    """Raises BillingError."""
    sync_queue.delete_finished_syncs()
    mails.delete_former_mails()
    reconciliation.reconcile()
