"""Admin pages of billing."""

from billing.admin import customer_panels, home_panels, margin_page, money, payments, signups, stripe_events

__all__ = ["customer_panels", "home_panels", "margin_page", "money", "payments", "signups", "stripe_events"]
