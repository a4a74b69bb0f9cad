"""News from the rooms below, and from Stripe."""

from billing.receivers import accounts, stripe_inbox

__all__ = ["accounts", "stripe_inbox"]
