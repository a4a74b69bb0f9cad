"""The ends of a video: completed, failed, canceled, or back in the queue; each moves its credits in one transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.enums import EventType
from billing import credits
from genvid import database_clock, request_context
from genvid.jobs import enqueue_on_commit
from genvid.mail import outbox
from videos import jobs, video_events
from videos.enums import MailKind, Status
from videos.kinds import registry, sounds
from videos.models import Batch, Video
from videos.queue import estimates


@request_context.under_request_of_row
@transaction.atomic
def complete_video(video: Video, *, duration: Decimal, **files: Any) -> bool:
    """Charge the real duration, return the rest of the hold. False when the video was settled before."""
    now = database_clock.now()
    # Before the move: where there is no price, the video must stay unchanged in memory too.
    rate = registry.rate_of(video)
    cost = 0 if video.is_test else sounds.charged_of(video, credits.price(**rate, seconds=duration), duration)
    ours = 0 if video.is_test else credits.provider_cost(**rate, seconds=duration)
    done = video.move(
        Status.COMPLETED,
        reason="stored",
        completed_at=now,
        expires_at=_expiry_time(video, now),
        duration_seconds=duration,
        render_links=None,
        **_settled(video, cost),
        **files,
    )
    if not done:
        return False
    charged = credits.capture(
        video.money_reference, cost, description=f"Video of {duration} s", provider_microdollars=ours
    )
    _end(video, EventType.VIDEO_COMPLETED, charged=charged)
    _mail_unless_batch(video, MailKind.VIDEO_READY)
    if settings.HEYGEN_DELETE_AFTER_STORE:
        enqueue_on_commit(jobs.DELETE_RENDER, str(video.pk))
    return True


def _expiry_time(video: Video, now: datetime) -> datetime | None:
    days = credits.limits_of(video.account_id).retention_days
    return None if days is None else now + timedelta(days=days)


@request_context.under_request_of_row
@transaction.atomic
def fail_video(
    video: Video, *, code: str, message: str, reason: str, retryable: bool = True, provider_error: str = ""
) -> bool:
    """Fail a video and return all its credits. False when it had moved."""
    failed = video.move(
        Status.FAILED,
        reason=reason,
        detail=provider_error[:500],
        completed_at=database_clock.now(),
        render_links=None,
        error_code=code,
        error_message=message,
        error_retryable=retryable,
        provider_error=provider_error[:500],
        **_settled(video),
    )
    if failed:
        credits.release(video.money_reference)
        _end(video, EventType.VIDEO_FAILED)
        _mail_unless_batch(video, MailKind.VIDEO_FAILED)
    return failed


@request_context.under_request_of_row
@transaction.atomic
def cancel_video(video: Video, *, reason: str, detail: str = "", charge: int = 0) -> bool:
    """`charge`: credits to keep for an order that HeyGen bills, at most the hold. False when the video had moved."""
    canceled = video.move(
        Status.CANCELED,
        reason=reason,
        detail=detail[:500],
        completed_at=database_clock.now(),
        render_links=None,
        **_settled(video, charge),
    )
    if canceled:
        _end(video, EventType.VIDEO_CANCELED, charged=_capture_or_release(video.money_reference, charge))
    return canceled


@transaction.atomic
def cancel_waiting(videos: Sequence[Video], *, reason: str) -> int:
    """Cancel queued videos of one batch, their credits moved at once. Returns how many were still queued."""
    facts: dict[str, Any] = {
        "reason": reason,
        "completed_at": database_clock.now(),
        "render_links": None,
        "credits_held": 0,
    }
    canceled = [video for video in videos if video.status == Status.QUEUED and video.move(Status.CANCELED, **facts)]
    if not canceled:
        return 0
    first = canceled[0]
    credits.release_many(first.account_id, [video.money_reference for video in canceled])
    video_events.publish_video_events(canceled, EventType.VIDEO_CANCELED)
    _end_in_batch(first, len(canceled))
    return len(canceled)


@request_context.under_request_of_row
@transaction.atomic
def requeue_video(video: Video, *, reason: str, why: str) -> bool:
    """Requeue at the old position, uncharged. Only where the present order makes no video, else HeyGen bills both."""
    back = video.move(
        Status.QUEUED,
        reason=reason,
        detail=why[:500],
        idempotency_key=None,
        provider_video_id=None,
        submitted_at=None,
        stuck_at=None,
        render_links=None,
        progress_floor=estimates.progress_percent(video),
        eta_ceiling=estimates.eta_seconds(video, None),
        waiting_reason=why[:300],
        deadline_at=(video.queued_at or database_clock.now()) + timedelta(seconds=settings.VIDEO_QUEUE_DEADLINE),
    )
    if back:
        video_events.publish_video_event(video, EventType.VIDEO_QUEUED)
        enqueue_on_commit(jobs.DISPATCH)
    return back


def _end_in_batch(video: Video, count: int = 1) -> None:
    """Locks the batch's row last: of two last ends, one waits for the other. Its event follows those of its videos."""
    if video.batch_id is None:
        return
    batch = Batch.objects.filter(pk=video.batch_id)
    batch.update(open=F("open") - count)
    if batch.filter(open=0, completed_at=None).update(completed_at=database_clock.now()):
        video_events.publish_batch_event(batch.get())
        _queue_mail(MailKind.BATCH_FINISHED, video, batch=str(video.batch_id))


def _mail_unless_batch(video: Video, kind: MailKind) -> None:
    if video.batch_id is None:
        _queue_mail(kind, video, video=str(video.pk))


def _queue_mail(kind: MailKind, video: Video, /, **ids: str) -> None:
    if video.created_by_id is not None and video.api_key_id is None:
        outbox.write(kind, person=video.created_by_id, account=video.account_id, **ids)


def _capture_or_release(reference: str, charge: int) -> int:
    if charge:
        return credits.capture(reference, charge, description="Canceled while it was being made")
    credits.release(reference)
    return 0


def _settled(video: Video, cost: int = 0) -> dict[str, Any]:
    """Written with the move: what billing will charge, which is the cost, at most what the video holds."""
    return {"credits_held": 0, "credits_charged": min(cost, video.credits_held)}


def _end(video: Video, event: EventType, *, charged: int = 0) -> None:
    if video.credits_charged != charged:
        # The hold is the truth: it may have been settled before.
        Video.objects.filter(pk=video.pk).update(credits_charged=charged)
        video.credits_charged = charged
    video_events.publish_video_event(video, event)
    _end_in_batch(video)
