"""The end of all patience: no status outlives it, whatever HeyGen answers or does not answer."""

from datetime import datetime, timedelta

from django.conf import settings

from videos import operator_alarms
from videos.models import Video


def last_deadline_of(video: Video) -> datetime:
    """VIDEO_LAST_DEADLINE after the present status began: for a render, after HeyGen took the order."""
    return video.moved_at + timedelta(seconds=settings.VIDEO_LAST_DEADLINE)


def raise_last_deadline_alarm(video: Video, why: str) -> None:
    """Staff hear of a video that was ended without a word of HeyGen: it may still be made there, and billed."""
    order = video.provider_video_id or video.provider_title
    text = f"Video {video.pk} ({order}) was given up without a word from HeyGen, its credits given back. Last: {why}"
    operator_alarms.raise_alarm("given_up_without_word", str(video.pk), text)
