"""Admin pages of accounts."""

from accounts.admin import account_pages, people_pages

__all__ = ["account_pages", "people_pages"]
