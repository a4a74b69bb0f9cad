"""Admin pages of accounts."""

from accounts.admin import account_pages, customer_panels, home_panels, moderation_pages, people_pages

__all__ = ["account_pages", "customer_panels", "home_panels", "moderation_pages", "people_pages"]
