"""The end of a speech's day: its words and its audio go, unless a video is rendered with them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from genvid.leasing import from_now
from videos.enums import SpeechStatus
from videos.listening import audio
from videos.models import Speech, Video

logger = structlog.get_logger(__name__)
BATCH_SIZE = 200
GRACE = timedelta(minutes=1)
"""A video that was ordered just before may not be committed yet."""
USED_PAUSE = timedelta(days=1)
"""Until then nobody asks again whether its video is gone."""


def clear_expired() -> None:
    ended = Speech.objects.exclude(status=SpeechStatus.CREATING)
    due = list(ended.filter(due_at__lte=from_now(-GRACE)).order_by("due_at")[:BATCH_SIZE])
    used = used_by_videos([speech.pk for speech in due])
    ended.filter(pk__in=used).update(due_at=from_now(USED_PAUSE))
    for speech in due:
        if speech.pk not in used:
            _clear(speech)


def used_by_videos(speech_ids: list[UUID]) -> set[UUID]:
    """Those that a video with files, or one that will have them, is rendered with."""
    videos = Video.objects.filter(speech__in=speech_ids, deleted_at=None, expired_at=None)
    return set(videos.order_by().values_list("speech_id", flat=True))


def _clear(speech: Speech) -> None:
    try:
        clear_speech(speech)
    except Exception as error:  # noqa: BLE001 - whatever the storage raises, the next sweep tries again
        logger.warning("speech_not_cleared", speech_id=str(speech.pk), error=repr(error))


def clear_speech(speech: Speech) -> None:
    """Remove the row, or only its words where a deleted video refers to it; then its audio."""
    with transaction.atomic():
        if Video.objects.filter(speech=speech.pk).exists():
            gone: dict[str, Any] = {"script": "", "text_sha256": "", "words": [], "waiting_reason": "", "due_at": None}
            Speech.objects.filter(pk=speech.pk).update(**gone)
        else:
            speech.delete()
    audio.drop_audio(speech.audio_id)
