"""Admin pages of the catalogue."""

from avatars.admin import catalogue_pages

__all__ = ["catalogue_pages"]
