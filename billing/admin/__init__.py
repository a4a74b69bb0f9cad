"""Admin pages of billing."""

from billing.admin import customer_panels, money, payments, signups, stripe_events

__all__ = ["customer_panels", "money", "payments", "signups", "stripe_events"]
