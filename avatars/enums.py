"""Choices for avatars, voices and uploads."""

from django.db.models import TextChoices


class AvatarKind(TextChoices):
    STUDIO_AVATAR = "studio_avatar"
    DIGITAL_TWIN = "digital_twin"
    PHOTO_AVATAR = "photo_avatar"


class EntryStatus(TextChoices):
    """How far an avatar or a voice that a customer makes is. What HeyGen lists is always ready."""

    REVIEW = "review"
    QUEUED = "queued"
    CREATING = "creating"
    WAITING_FOR_CONSENT = "waiting_for_consent"
    READY = "ready"
    FAILED = "failed"
    REFUSED = "refused"


class UploadKind(TextChoices):
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


class UploadStatus(TextChoices):
    """`waiting`: for its bytes, which the client sends to the bucket itself, or for our check of them."""

    WAITING = "waiting"
    READY = "ready"
    REFUSED = "refused"


class UploadOrigin(TextChoices):
    """Who made the file: a customer, or we for a text that was listened to. Customers see only theirs."""

    CUSTOMER = "customer"
    SPEECH = "speech"
