"""Choices for avatars."""

from django.db.models import TextChoices


class AvatarKind(TextChoices):
    STUDIO_AVATAR = "studio_avatar"
    DIGITAL_TWIN = "digital_twin"
    PHOTO_AVATAR = "photo_avatar"
