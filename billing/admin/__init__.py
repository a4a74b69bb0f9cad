"""This room's pages for staff."""

from billing.admin import money, payments, stripe_inbox

__all__ = ["money", "payments", "stripe_inbox"]
