"""Admin pages of accounts."""

from accounts.admin import account_pages, home_panels, people_pages

__all__ = ["account_pages", "home_panels", "people_pages"]
