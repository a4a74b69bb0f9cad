"""Admin pages of billing."""

from billing.admin import (
    customer_panels,
    home_panels,
    margin_page,
    money,
    payments,
    signups,
    stripe_events,
    stripe_mirror,
)

__all__ = [
    "customer_panels",
    "home_panels",
    "margin_page",
    "money",
    "payments",
    "signups",
    "stripe_events",
    "stripe_mirror",
]
