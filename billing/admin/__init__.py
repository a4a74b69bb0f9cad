"""Admin pages of billing."""

from billing.admin import money, payments, signups, stripe_events

__all__ = ["money", "payments", "signups", "stripe_events"]
