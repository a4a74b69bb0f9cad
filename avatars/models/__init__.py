"""Models of the catalogue and of what customers upload, by subject."""

from avatars.models.catalogue import Avatar, CatalogueEntry, Voice
from avatars.models.own import Creation, CreationEvent
from avatars.models.uploads import Upload

__all__ = ["Avatar", "CatalogueEntry", "Creation", "CreationEvent", "Upload", "Voice"]
