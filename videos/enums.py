"""Choices for videos: statuses, permitted moves, formats, resolutions."""

from django.db.models import TextChoices


class Status(TextChoices):
    """Stored statuses. Clients see `submitting`, `rendering` and `storing` as `processing`."""

    DRAFT = "draft"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    RENDERING = "rendering"
    STORING = "storing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class PublicStatus(TextChoices):
    """The statuses that clients see."""

    DRAFT = "draft"
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class WaitingFor(TextChoices):
    """What a queued video waits for. With several reasons: staff before provider, own_slots and slot."""

    SLOT = "slot"
    OWN_SLOTS = "own_slots"
    PROVIDER = "provider"
    STAFF = "staff"


PROCESSING = frozenset({Status.SUBMITTING, Status.RENDERING, Status.STORING})
TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELED})
WAITING = frozenset({Status.QUEUED}) | PROCESSING
IN_FLIGHT = frozenset({Status.SUBMITTING, Status.RENDERING})
"""Statuses that occupy a render slot."""

SOURCES: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.DRAFT, Status.SUBMITTING, Status.RENDERING}),
    Status.SUBMITTING: frozenset({Status.QUEUED}),
    Status.RENDERING: frozenset({Status.SUBMITTING}),
    Status.STORING: frozenset({Status.RENDERING}),
    Status.COMPLETED: frozenset({Status.STORING}),
    Status.FAILED: frozenset({Status.QUEUED, Status.SUBMITTING, Status.RENDERING, Status.STORING}),
    # Clients take back only what waits; what HeyGen has already is for staff to end.
    Status.CANCELED: frozenset({Status.QUEUED, Status.SUBMITTING, Status.RENDERING, Status.STORING}),
}
"""The permitted moves: target status to source statuses."""


def public(status: str) -> str:
    return PublicStatus.PROCESSING.value if status in PROCESSING else status


def internal(statuses: set[str]) -> set[str]:
    """The stored statuses behind public ones."""
    inner = {str(status) for status in PROCESSING} if PublicStatus.PROCESSING in statuses else set()
    return (statuses - {PublicStatus.PROCESSING.value}) | inner


class LearnedBy(TextChoices):
    """How we learned that a render had ended."""

    WEBHOOK = "webhook"
    POLL = "poll"
    # Its webhook never came, but HeyGen's own list of events tells of it.
    HISTORY = "history"


class VideoFormat(TextChoices):
    LANDSCAPE = "16:9", "16:9"
    PORTRAIT = "9:16", "9:16"
    SQUARE = "1:1", "1:1"
    TALL = "4:5", "4:5"
    WIDE = "5:4", "5:4"


class Resolution(TextChoices):
    HD = "720p", "720p"
    FULL_HD = "1080p", "1080p"


class MailKind(TextChoices):
    """The mails of videos. `videos.mail_composers` composes them."""

    VIDEO_READY = "videos.video_ready"
    VIDEO_FAILED = "videos.video_failed"
    BATCH_FINISHED = "videos.batch_finished"
