"""The last deadline of a status, after which a video ends even if HeyGen never answers."""

from datetime import datetime, timedelta

from django.conf import settings

from videos import operator_alarms
from videos.models import Video


def last_deadline_of(video: Video) -> datetime:
    return video.moved_at + timedelta(seconds=settings.VIDEO_LAST_DEADLINE)


def raise_last_deadline_alarm(video: Video, why: str) -> None:
    order = video.provider_video_id or video.provider_title
    text = f"Video {video.pk} ({order}) was given up without an answer from HeyGen, its credits given back. Last: {why}"
    operator_alarms.raise_alarm("given_up_without_word", str(video.pk), text)
