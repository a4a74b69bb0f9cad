"""Admin pages of the catalogue."""

from avatars.admin import catalogue_pages, creation_pages, home_panels, upload_pages

__all__ = ["catalogue_pages", "creation_pages", "home_panels", "upload_pages"]
