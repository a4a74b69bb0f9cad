"""Staff actions on a video. Each is safe to repeat, records who ran it, and raises InvalidState."""

from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from accounts import audit_log
from accounts.enums import AuditAct
from billing import credits as money
from genvid.errors import InvalidState, ProviderUnavailable
from genvid.heygen.heygen_errors import HeyGenError, NotFound
from genvid.heygen.heygen_types import RemoteVideo, RenderState
from genvid.jobs import enqueue_on_commit
from genvid.leasing import from_now
from videos import jobs, settlement
from videos.enums import TERMINAL, WAITING, Status
from videos.models import Video
from videos.pipeline.submission import find_order
from videos.provider.heygen_clients import client_for

logger = structlog.get_logger(__name__)
CHARGEABLE = (Status.RENDERING, Status.STORING)
LEASES = {Status.SUBMITTING: "VIDEO_SUBMIT_LEASE", Status.STORING: "VIDEO_STORE_LEASE"}


def requeue_by_staff(video: Video, *, by: str, why: str, abandon_order: bool = False) -> Video:
    """Requeue for a new order, uncharged; with `abandon_order` HeyGen may bill both. Raises ProviderUnavailable."""
    video = require_current(video)
    if video.status in (Status.FAILED, Status.CANCELED):
        raise InvalidState("It has ended, and its credits were given back: retry makes a new video of it.")
    if video.status not in (Status.SUBMITTING, Status.RENDERING):
        raise InvalidState(f"Only an order at HeyGen can be taken back to the queue; this video is {video.status}.")
    leased = lease(video) if video.status == Status.SUBMITTING else None
    try:
        if not abandon_order:
            _require_no_order(video)
        _requeue(video, by, why)
    except Exception:
        _restore_lease(video, leased)
        raise
    return video


@transaction.atomic
def _requeue(video: Video, by: str, why: str) -> None:
    if not settlement.requeue_video(video, reason="requeued_by_staff", why=f"{by}: {why}"):
        raise moved_meanwhile()
    # A full new deadline, however old the video is.
    Video.objects.filter(pk=video.pk).update(deadline_at=from_now(settings.VIDEO_QUEUE_DEADLINE))


def _require_no_order(video: Video) -> None:
    try:
        order = _order_at_provider(video)
    except HeyGenError as error:
        message = "HeyGen does not say whether it has the order. Wait, or abandon the order and risk paying twice."
        raise ProviderUnavailable(message) from error
    if order is not None and order.state is not RenderState.FAILED:
        raise InvalidState(
            f"HeyGen has this order ({order.id}, {order.state.value}) and bills it. To place another one all the same, "
            "and pay for both, abandon the order."
        )


def _order_at_provider(video: Video) -> RemoteVideo | None:
    client = client_for(video)
    if not video.provider_video_id:
        return find_order(video, client)
    try:
        return client.get_video(video.provider_video_id)
    except NotFound:
        return None


@transaction.atomic
def resume_set_aside(video: Video, *, by: str) -> Video:
    """Put a video that was set aside back into the queue at its old position. It may close the gate again."""
    video = require_current(video)
    if video.status != Status.QUEUED or video.set_aside_at is None:
        raise InvalidState("Only a video that was set aside can be let go on.")
    same = Video.objects.filter(pk=video.pk, status=Status.QUEUED, set_aside_at=video.set_aside_at)
    deadline = from_now(settings.VIDEO_QUEUE_DEADLINE)
    if same.update(set_aside_at=None, gate_tripped_at=None, waiting_reason="", deadline_at=deadline) != 1:
        raise moved_meanwhile()
    enqueue_on_commit(jobs.DISPATCH)
    logger.info("resumed_by_staff", video_id=str(video.pk), by=by)
    return require_current(video)


def fetch_again(video: Video, *, by: str) -> Video:
    """Fetch the file for the first time or again; no credits move. Raises ProviderUnavailable if HeyGen is silent."""
    video = require_current(video)
    log = logger.bind(video_id=str(video.pk), by=by)
    if video.status == Status.STORING:
        lease(video, seconds=0)
        enqueue_on_commit(jobs.STORE, str(video.pk), context=video.request_context)
    elif video.status == Status.COMPLETED:
        _require_fetchable(video)
        enqueue_on_commit(jobs.REPLACE_FILE, str(video.pk), context=video.request_context)
    else:
        raise InvalidState(f"There is nothing to fetch: this video is {video.status}.")
    log.info("fetched_again_by_staff", status=video.status)
    return video


def _require_fetchable(video: Video) -> None:
    if video.deleted_at or video.expired_at:
        raise InvalidState("This video was deleted here, and stays so.")
    try:
        order = _order_at_provider(video) if video.provider_video_id else None
    except HeyGenError as error:
        raise ProviderUnavailable("HeyGen does not answer at present; try again later.") from error
    if order is None or not order.file_url:
        raise InvalidState("HeyGen has no file of this video any more.")


def settle_failed(video: Video, *, by: str, message: str) -> Video:
    """Fail a waiting video and return all its credits. The client reads `message`."""
    video = _waiting(video)
    failed = settlement.fail_video(
        video,
        code="ended_by_operator",
        message=message[:300],
        reason="failed_by_staff",
        provider_error=f"by {by}",
    )
    if not failed:
        raise moved_meanwhile()
    return video


def cancel_by_staff(video: Video, *, by: str, charge: int = 0) -> Video:
    """Cancel a waiting video. `charge`: credits to keep, at most the hold, and only once HeyGen has the order."""
    video = _waiting(video)
    if charge and video.status not in CHARGEABLE:
        raise InvalidState("HeyGen has not got this order yet, so nothing may be charged for it.")
    if not 0 <= charge <= video.credits_held:
        raise InvalidState(f"Between 0 and {video.credits_held} credits may be charged: so many are held.")
    if not settlement.cancel_video(
        video, reason="canceled_by_staff", detail=f"by {by}, {charge} credits kept", charge=charge
    ):
        raise moved_meanwhile()
    return video


def refund_by_staff(video: Video, *, by: str, credits: int, why: str) -> Video:
    """Refund up to what the video was charged, once. Raises Conflict for more."""
    video = require_current(video)
    if video.status not in TERMINAL or not video.credits_charged:
        raise InvalidState("Nothing was charged for this video.")
    if credits <= 0:
        raise InvalidState("A refund is of one credit or more.")
    if not money.refund(video.money_reference, credits, description=why):
        raise InvalidState("This video was refunded before.")
    logger.info("refunded_by_staff", video_id=str(video.pk), by=by, credits=credits, why=why)
    return video


def require_current(video: Video) -> Video:
    row: Video = Video.objects.select_related("avatar").get(pk=video.pk)
    return row


def moved_meanwhile() -> InvalidState:
    return InvalidState("The video has moved on meanwhile: look again.")


def _waiting(video: Video) -> Video:
    video = require_current(video)
    if video.status not in WAITING:
        raise InvalidState(f"Only a video that is being made can be ended; this one is {video.status}.")
    return video


def lease(video: Video, *, seconds: float | None = None) -> Video:
    """Lease the video; `due_at` then tells the former state. Raises InvalidState if a worker may hold it."""
    length = float(getattr(settings, LEASES[Status(video.status)]))
    left = video.seconds_until("due_at")
    if left is not None and 0 < left <= length:
        raise InvalidState(f"A worker may be at it: try again in {round(left)} seconds.")
    same, tries = video.held().filter(due_at=video.due_at), 0 if seconds == 0 else video.tries
    if same.update(due_at=from_now(length if seconds is None else seconds), tries=tries) != 1:
        raise moved_meanwhile()
    return video


def _restore_lease(video: Video, leased: Video | None) -> None:
    if leased is not None:
        Video.objects.filter(pk=video.pk, status=Status.SUBMITTING, calls=leased.calls).update(due_at=leased.due_at)


@transaction.atomic
def end_overdue_videos(by: str, *, staff_id: UUID | None = None) -> int:
    """Have a worker end all overdue videos, which the sweep left to staff because they were many. Returns how many."""
    count = Video.objects.overdue().count()
    audit_log.record_staff_action(
        AuditAct.VIDEO_ACTION, staff_id=staff_id, action="end_overdue_videos", by=by, count=count
    )
    logger.warning("overdue_videos_ended_by_staff", by=by, count=count)
    enqueue_on_commit(jobs.END_OVERDUE)
    return count
