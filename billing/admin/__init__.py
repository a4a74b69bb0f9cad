"""This room's pages for staff."""

from billing.admin import money, payments, signups, stripe_inbox

__all__ = ["money", "payments", "signups", "stripe_inbox"]
