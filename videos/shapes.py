"""The one shape of a video, in answers, lists, streams and events alike."""

from typing import Any

from django.conf import settings

from videos import estimates
from videos.enums import public
from videos.models import Video

PLAIN_FIELDS = (
    "id",
    "title",
    "script",
    "avatar_id",
    "voice_id",
    "format",
    "resolution",
    "captions",
    "background",
    "speed",
    "metadata",
    "created_at",
    "updated_at",
    "submitted_at",
    "completed_at",
    "expires_at",
    "batch_id",
)


def video_data(video: Video, queue_position: int | None = None) -> dict[str, Any]:
    """The one shape of a video, in lists, answers and events alike."""
    return {
        **{name: getattr(video, name) for name in PLAIN_FIELDS},
        "status": public(video.status),
        "language": video.language or None,
        "retry_of": video.retry_of_id,
        "duration_seconds": float(video.duration_seconds) if video.duration_seconds is not None else None,
        "credits": {"held": video.credits_held, "charged": video.credits_charged},
        "error": _error_data(video),
        "progress_percent": estimates.progress_percent(video),
        "queue_position": queue_position,
        "eta_seconds": estimates.eta_seconds(video, queue_position),
        **_link_data(video),
    }


def _error_data(video: Video) -> dict[str, Any] | None:
    if not video.error_code:
        return None
    return {"code": video.error_code, "message": video.error_message, "retryable": video.error_retryable}


def _link_data(video: Video) -> dict[str, str | None]:
    """Stable addresses: each answers with a short-lived link to the bytes."""
    base = f"{settings.PUBLIC_URL}/api/v1/videos/{video.pk}"
    links = {"file": video.file, "thumbnail": video.thumbnail, "captions": video.subtitles}
    return {f"{name}_url": f"{base}/{name}" if stored else None for name, stored in links.items()}
