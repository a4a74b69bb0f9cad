"""The last deadline of a status, after which a video ends even if HeyGen never answers."""

from django.conf import settings

from videos import operator_alarms
from videos.models import Video


def seconds_to_last_deadline(video: Video) -> float:
    """By the database's clock, as all that ends a video. Negative once it is over."""
    return float(settings.VIDEO_LAST_DEADLINE) + (video.seconds_until("moved_at") or 0.0)


def raise_last_deadline_alarm(video: Video, why: str) -> None:
    order = video.provider_video_id or video.provider_title
    text = f"Video {video.pk} ({order}) was given up without an answer from HeyGen, its credits given back. Last: {why}"
    operator_alarms.raise_alarm("given_up_without_word", str(video.pk), text)
