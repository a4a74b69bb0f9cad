"""Ends and deletes the videos of an erased account, here and at HeyGen."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef, Q

from accounts.privacy.anonymisation import redact_admin_log
from genvid import database_clock
from genvid.batched_rows import delete_in_batches, update_in_batches
from genvid.leasing import sweep
from videos import jobs, settlement
from videos.enums import TERMINAL, WAITING, SpeechStatus, Status
from videos.lifecycle import deletion
from videos.listening import speaking, speech_expiry
from videos.models import Batch, Speech, Video, VideoEvent, WebhookDelivery
from videos.querysets import VideoQuerySet

logger = structlog.get_logger(__name__)
BATCH_SIZE = 200
ORDER_SETTLE_TIME = timedelta(hours=1)
"""A canceled order may still have made a render until then."""


def erase_videos_of(account_id: UUID) -> str:
    """Runs one round. Returns what is left as text, "" once nothing of the client's is stored anywhere."""
    mine = Video.objects.filter(account=account_id)
    _cancel_waiting(mine)
    _delete_ended(mine)
    speeches = erase_speeches_of(account_id)
    making, undeleted = mine.filter(status__in=WAITING).count(), _undeleted(mine).count()
    if making or undeleted:
        return f"{making} videos are being made, {undeleted} are not deleted everywhere"
    if speeches:
        return f"{speeches} speeches are being made"
    _clear_texts(account_id, mine)
    return ""


def erase_speeches_of(account_id: UUID) -> int:
    """Ends and clears speeches. Returns how many are left for the next round: a worker or a video has them."""
    mine = Speech.objects.filter(account=account_id)
    for speech in mine.filter(status=SpeechStatus.CREATING).due()[:BATCH_SIZE]:
        speaking.end_for_erasure(speech)
    # Without a moment to act they are cleared already: their videos' rows refer to them.
    ended = list(mine.exclude(status=SpeechStatus.CREATING).exclude(due_at=None)[:BATCH_SIZE])
    used = speech_expiry.used_by_videos([speech.pk for speech in ended])
    for speech in ended:
        if speech.pk not in used:
            speech_expiry.clear_speech(speech)
    return mine.exclude(due_at=None).count()


def _cancel_waiting(mine: VideoQuerySet) -> None:
    """Cancels videos that were not ordered. Ordered ones are paid for: they end by themselves and are deleted then."""
    for video in mine.queued().order_by("queued_at")[:BATCH_SIZE]:
        settlement.cancel_video(video, reason="account_erased")


def _delete_ended(mine: VideoQuerySet) -> None:
    recently = database_clock.now() - ORDER_SETTLE_TIME
    in_doubt = Q(status=Status.CANCELED, attempt__gt=0, provider_video_id=None, moved_at__gt=recently)
    ended = mine.filter(deleted_at=None, status__in=TERMINAL | {Status.DRAFT}).exclude(in_doubt)
    for video in ended.order_by("created_at")[:BATCH_SIZE]:
        deletion.delete_video(video)
    # Videos whose message was lost, and those that the client had deleted before.
    sweep(_undeleted(mine).exclude(deleted_at=None), jobs.PURGE, most=BATCH_SIZE)


def _undeleted(mine: VideoQuerySet) -> VideoQuerySet:
    return mine.filter(status__in=TERMINAL | {Status.DRAFT}).unpurged()


def _clear_texts(account_id: UUID, mine: VideoQuerySet) -> None:
    """Clears texts; the rows stay, since the ledger refers to them."""
    with_texts = ~Q(error_message="") | ~Q(provider_error="") | ~Q(waiting_reason="") | ~Q(file_sha256="")
    blank = {"error_message": "", "provider_error": "", "waiting_reason": "", "file_sha256": ""}
    update_in_batches(mine.filter(with_texts), **blank)
    update_in_batches(VideoEvent.objects.filter(video__account=account_id).exclude(detail=""), detail="")
    batches = Batch.objects.filter(account=account_id).exclude(script="", title="")
    update_in_batches(batches, script="", title="", template={}, columns=[])
    ids = list(mine.values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH_SIZE):
        redact_admin_log(Video, ids[start : start + BATCH_SIZE])
    ours = mine.filter(provider_video_id=OuterRef("provider_video_id"))
    delete_in_batches(WebhookDelivery.objects.exclude(provider_video_id="").filter(Exists(ours)))
