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

SOURCES: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.DRAFT, Status.SUBMITTING, Status.RENDERING}),
    Status.SUBMITTING: frozenset({Status.QUEUED}),
    Status.RENDERING: frozenset({Status.SUBMITTING}),
    Status.STORING: frozenset({Status.RENDERING}),
    Status.COMPLETED: frozenset({Status.STORING}),
    Status.FAILED: frozenset({Status.QUEUED, Status.SUBMITTING, Status.RENDERING, Status.STORING}),
    # Clients cancel only queued and stuck videos; staff may end those that HeyGen has.
    Status.CANCELED: frozenset({Status.QUEUED, Status.SUBMITTING, Status.RENDERING, Status.STORING}),
}
"""The permitted moves: target status to source statuses."""


def public_status(status: str) -> str:
    return PublicStatus.PROCESSING.value if status in PROCESSING else status


def stored_statuses(statuses: set[str]) -> set[str]:
    inner = {str(status) for status in PROCESSING} if PublicStatus.PROCESSING in statuses else set()
    return (statuses - {PublicStatus.PROCESSING.value}) | inner


class VideoKind(TextChoices):
    """What is filmed. Each kind has a module in `videos.kinds`."""

    AVATAR = "avatar"
    PICTURE = "picture"


class SpeechStatus(TextChoices):
    CREATING = "creating"
    READY = "ready"
    FAILED = "failed"


class LearnedBy(TextChoices):
    WEBHOOK = "webhook"
    POLL = "poll"
    # The webhook was lost, but HeyGen's event history lists the event.
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
    VIDEO_READY = "videos.video_ready"
    VIDEO_FAILED = "videos.video_failed"
    BATCH_FINISHED = "videos.batch_finished"
