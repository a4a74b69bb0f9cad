"""The end of a speech, with its day or its voice: its words and its audio go, unless a video is rendered with them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from avatars.models import Voice
from genvid import database_clock
from genvid.leasing import from_now
from videos.enums import WAITING, SpeechStatus, Status
from videos.listening import audio
from videos.models import Speech, Video
from videos.models.speech import REFUSED, REFUSED_KEPT

logger = structlog.get_logger(__name__)
BATCH_SIZE = 200
GRACE = timedelta(minutes=1)
"""A video that was ordered just before may not be committed yet."""
USED_PAUSE = timedelta(days=1)
"""Until then nobody asks again whether its video is gone."""
NEEDED_BY = WAITING - {Status.STORING}
"""Videos in these states need the audio: what HeyGen has filmed is stored without it."""


def clear_expired() -> None:
    ended = Speech.objects.exclude(status=SpeechStatus.CREATING)
    due = list(ended.filter(due_at__lte=from_now(-GRACE)).order_by("due_at")[:BATCH_SIZE])
    kept = used_by_videos([speech.pk for speech in due]) | {speech.pk for speech in due if _is_for_report(speech)}
    ended.filter(pk__in=kept).update(due_at=from_now(USED_PAUSE))
    for speech in due:
        if speech.pk not in kept:
            _clear(speech)


def _is_for_report(speech: Speech) -> bool:
    """Whether staff may learn from its words what HeyGen refuses: `videos.staff.refused_scripts`."""
    age = database_clock.now() - speech.created_at
    return speech.error_code == REFUSED and not speech.is_test and age < REFUSED_KEPT


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


def empty_speeches_of(voice: Voice) -> int:
    """Of a voice that its account has deleted: nobody hears them from now on.

    The rows stay until their day is over, for the free seconds that they took. Audio that HeyGen is to film, or is
    filming, stays until a later call; of drafts, of finished renders and of videos that have ended it goes at once, as
    much as one call removes. Returns how much of that is left for the next one.
    """
    spoken = Speech.objects.filter(account=voice.account_id, voice=voice.pk, status=SpeechStatus.READY)
    heard = spoken.exclude(audio=None)
    gone: dict[str, Any] = {"script": "", "text_sha256": "", "words": [], "expires_at": from_now()}
    heard.exclude(script="").update(**gone)
    free = heard.exclude(Exists(Video.objects.filter(audio=OuterRef("audio"), status__in=NEEDED_BY)))
    for speech_id, audio_id in free.order_by("created_at").values_list("pk", "audio_id")[:BATCH_SIZE]:
        audio.remove_audio(audio_id)
        Speech.objects.filter(pk=speech_id).update(audio=None)
    return free.count()
