"""Ends the videos of an own avatar or voice that its account has deleted, and what the voice has spoken."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q

from avatars.models import CatalogueEntry, Voice
from videos import settlement
from videos.enums import WAITING, Status
from videos.listening import speech_expiry
from videos.models import Video

BATCH_SIZE = 200
CODE = "avatar_withdrawn"
MESSAGE = "The avatar or voice of this video was deleted. Your credits were returned."


def end_videos_of(entry: CatalogueEntry) -> int:
    """Queued videos fail and give their credits back. Returns how many are still being made with its copy at HeyGen.

    By OWN_AVATAR_WITHDRAWN_VIDEOS these are finished, or stopped at our cost. Speeches whose audio is still to be
    removed are counted, too.
    """
    cast = Q(voice=entry.pk) if isinstance(entry, Voice) else Q(avatar=entry.pk)
    pending = Video.objects.filter(cast, account=entry.account_id, status__in=WAITING).order_by("created_at")
    waits = pending.filter(status=Status.QUEUED)
    stops = settings.OWN_AVATAR_WITHDRAWN_VIDEOS == "stop"
    _fail_all((pending if stops else waits)[:BATCH_SIZE])
    speeches = speech_expiry.empty_speeches_of(entry) if isinstance(entry, Voice) else 0
    return pending.exclude(status=Status.STORING).count() + speeches


def _fail_all(videos: Iterable[Video]) -> None:
    for video in videos:
        settlement.fail_video(video, code=CODE, message=MESSAGE, reason="cast_withdrawn", retryable=False)
