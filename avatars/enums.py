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


PENDING = frozenset({EntryStatus.REVIEW, EntryStatus.QUEUED, EntryStatus.CREATING, EntryStatus.WAITING_FOR_CONSENT})
"""Of what is not made yet; its credits are held."""
SOURCES: dict[EntryStatus, frozenset[EntryStatus]] = {
    EntryStatus.QUEUED: frozenset({EntryStatus.REVIEW, EntryStatus.CREATING}),
    EntryStatus.CREATING: frozenset({EntryStatus.QUEUED, EntryStatus.WAITING_FOR_CONSENT}),
    EntryStatus.WAITING_FOR_CONSENT: frozenset({EntryStatus.CREATING}),
    EntryStatus.READY: frozenset({EntryStatus.CREATING, EntryStatus.WAITING_FOR_CONSENT}),
    EntryStatus.FAILED: PENDING,
    EntryStatus.REFUSED: frozenset({EntryStatus.REVIEW}),
}
"""From which statuses an own avatar or voice may move to each."""


class CreationKind(TextChoices):
    """What a customer may have made; also the names of the fees."""

    PHOTO_AVATAR = "photo_avatar"
    DIGITAL_TWIN = "digital_twin"
    VOICE_CLONE = "voice_clone"


class OwnAvatarKind(TextChoices):
    PHOTO_AVATAR = "photo_avatar"
    DIGITAL_TWIN = "digital_twin"


class OwnVoiceKind(TextChoices):
    CLONE = "clone"


class Owner(TextChoices):
    ME = "me"
    SHARED = "shared"


class ConsentStatus(TextChoices):
    """GIVEN: stated to us, and nothing more is needed. WAITING: for the person, on HeyGen's page."""

    GIVEN = "given"
    WAITING = "waiting"
    CONFIRMED = "confirmed"


class MailKind(TextChoices):
    OWN_AVATAR_READY = "avatars.own_avatar_ready"
    OWN_AVATAR_FAILED = "avatars.own_avatar_failed"


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
