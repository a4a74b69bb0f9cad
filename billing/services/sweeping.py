"""What billing does by the clock, and what the broker may have lost."""

from billing.services import letters, nudges, reconciling, recording, running_low, subscribing, topping_up


def sweep_all() -> None:
    """Everything that a lost message or a dead worker can leave behind. Called every few seconds."""
    nudges.sweep()
    letters.move_to_outbox()
    running_low.sweep()
    topping_up.sweep()


def advance_periods() -> None:
    """Monthly allowances that are due, and days of grace that have ended. Called every few minutes."""
    recording.grant_due()
    subscribing.end_grace()


def run_nightly() -> None:
    """Delete old rows, then compare with Stripe. Raises BillingError."""
    nudges.forget_old()
    letters.forget_old()
    reconciling.reconcile()
