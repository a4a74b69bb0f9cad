"""Admin pages of billing."""

from billing.admin import home_panels, margin_page, money, payments, signups, stripe_events

__all__ = ["home_panels", "margin_page", "money", "payments", "signups", "stripe_events"]
