"""This room's pages for staff."""

from billing.admin import money, stripe_inbox

__all__ = ["money", "stripe_inbox"]
