"""The one shape of a video, and of a batch, in answers, lists, streams and events alike."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from videos import estimates
from videos.enums import Resolution, Status, VideoFormat, public
from videos.models import Batch, Video
from videos.waiting import NOT_WAITING, Standing

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
    "is_test",
)


def video_data(video: Video, standing: Standing = NOT_WAITING) -> dict[str, Any]:
    """The one shape of a video, in lists, answers and events alike. `standing`: as `waiting.of_videos` finds it."""
    return {
        **{name: getattr(video, name) for name in PLAIN_FIELDS},
        "status": public(video.status),
        "language": video.language or None,
        "retry_of": video.retry_of_id,
        "duration_seconds": float(video.duration_seconds) if video.duration_seconds is not None else None,
        "credits": {"held": video.credits_held, "charged": video.credits_charged},
        "error": _error_data(video),
        "warnings": video.warnings or [],
        "progress_percent": estimates.progress_percent(video),
        "waiting_for": standing.waiting_for,
        "queue_position": standing.position,
        "eta_seconds": estimates.eta_seconds(video, standing.promised_position, slots=standing.slots),
        "cancel_credits": _cancel_credits(video),
        **_link_data(video),
    }


def _cancel_credits(video: Video) -> int | None:
    """What its client would pay for canceling it now: nothing, wherever it may."""
    return 0 if video.status == Status.QUEUED or estimates.is_stuck(video) else None


def _error_data(video: Video) -> dict[str, Any] | None:
    if not video.error_code:
        return None
    return {"code": video.error_code, "message": video.error_message, "retryable": video.error_retryable}


def _link_data(video: Video) -> dict[str, str | None]:
    """Stable addresses: each answers with a short-lived link to the bytes."""
    base = f"{settings.PUBLIC_URL}/api/v1/videos/{video.pk}"
    links = {"file": video.file, "thumbnail": video.thumbnail, "captions": video.subtitles}
    return {f"{name}_url": f"{base}/{name}" if stored else None for name, stored in links.items()}


BATCH_DEFAULTS: dict[str, Any] = {
    "format": VideoFormat.LANDSCAPE,
    "resolution": Resolution.FULL_HD,
    "language": None,
    "captions": False,
    "background": None,
    "speed": 1.0,
    "metadata": {},
}
BATCH_FIELDS = ("id", "title", "script", "columns", "total", "is_test", "created_at", "canceled_at", "completed_at")


def batch_data(batch: Batch, standing: Mapping[str, Any]) -> dict[str, Any]:
    """The one shape of a batch. `standing`: counts, progress and credits, as `tallies.standings` finds them."""
    status = "processing" if batch.open else "canceled" if batch.canceled_at else "completed"
    return {
        **{name: getattr(batch, name) for name in BATCH_FIELDS},
        **BATCH_DEFAULTS,
        **batch.template,
        "status": status,
        "counts": standing["counts"],
        "progress_percent": 100 if not batch.open else standing["progress_percent"],
        "credits": {"quoted": batch.credits_quoted, "held": standing["held"], "charged": standing["charged"]},
        "results_url": f"{settings.PUBLIC_URL}/api/v1/batches/{batch.pk}/results.csv",
    }
