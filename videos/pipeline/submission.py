"""Placing an order at HeyGen exactly once, whatever answers or none come back.

An error proves that nothing was made only on the first call with a key. After a call without a known outcome (also
after a crash) a later refusal may concern the repetition alone, so the video is looked up first. HeyGen may list a
video some time after it accepted the order, so absence is proven only when no call was made recently.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from django.conf import settings
from django.db import connections
from django.db.models import F, Q

from avatars.uploads import assets
from genvid import database_clock, request_context
from genvid.call_threads import Calls
from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_errors import Busy, HeyGenError, NotFound, NotReady, OperatorProblem, Refused, Unknown
from genvid.heygen.heygen_types import Background, RemoteVideo, RenderSpec
from genvid.leasing import from_now
from genvid.statements import update_returning
from videos import settlement
from videos.enums import Status
from videos.kinds import registry, sounds
from videos.kinds.subjects import AssetId
from videos.models import Video
from videos.pipeline import failed_renders, last_deadlines, release_check
from videos.pipeline.acceptance import ACCEPTED, record_acceptance, record_acceptances
from videos.provider import provider_gate
from videos.provider.gate_decisions import MAX_BUSY_SECONDS
from videos.provider.heygen_clients import client_for

logger = structlog.get_logger(__name__)
MAX_NOT_READY_TRIES = 20
QUIET_SECONDS = 300.0
"""No call is made this shortly before the deadline, so that HeyGen lists what the last one made."""
ASSET_GONE = "asset_not_found"
MAX_ASSET_ORDERS = 3
"""Orders of a video of which HeyGen may say that it does not have an upload."""
LISTED_AFTER_TRIES = 4
"""After this many doubling waits HeyGen lists what an unanswered call made."""


@dataclass(frozen=True)
class Answer:
    """What HeyGen said to an order; `ordered_at`: when it was sent."""

    video: Video
    ordered_at: datetime
    provider_video_id: str = ""
    error: HeyGenError | None = None


def submit_videos(video_ids: Sequence[str]) -> None:
    """Send these orders beside each other, each under its own lease, as threads for the calls are free."""
    if len(video_ids) == 1:
        submit_video(video_ids[0])
        return
    calls, waiting = Calls(_try_to_send), list(video_ids)
    while waiting or calls:
        reserved = calls.reserve(len(waiting))
        calls.start(partial(_claim_orders, waiting[:reserved]), reserved)
        del waiting[:reserved]
        if calls:
            _record([answer for answer in calls.finished() if answer is not None])


def submit_video(video_id: str) -> None:
    for video in _claim_orders([video_id]):
        _record_one(_send(video))


def _claim_orders(video_ids: Sequence[str]) -> list[Video]:
    """Lease the orders that are due and may go out."""
    if not video_ids:
        return []
    mine = Video.objects.filter(pk__in=video_ids, status=Status.SUBMITTING)
    has_time = Q(deadline_at=None) | Q(deadline_at__gt=from_now(_quiet_seconds()))
    lease = {"due_at": from_now(settings.VIDEO_SUBMIT_LEASE), "calls": F("calls") + 1}
    claimed = {video.pk for video in update_returning(mine.due().filter(has_time), lease, read=())}
    videos = list(mine.select_related(*registry.JOINED, *sounds.JOINED, "background_upload"))
    return [video for video in videos if (_may_go_out(video) if video.pk in claimed else _waits_for_deadline(video))]


def _may_go_out(video: Video) -> bool:
    if video.calls == 1 and release_check.is_withheld(video):
        release_check.return_to_queue(video)
        return False
    return True


def _waits_for_deadline(video: Video) -> bool:
    """HeyGen soon drops the key, and a repetition would make a second video: leave the order to its deadline."""
    left = _seconds_left(video)
    if left <= _quiet_seconds():
        video.claim(max(0.0, left))
    return False


def _quiet_seconds() -> float:
    return float(min(QUIET_SECONDS, settings.VIDEO_SUBMIT_DEADLINE / 10))


def _seconds_left(video: Video) -> float:
    left = video.seconds_until("deadline_at")
    return QUIET_SECONDS + 1 if left is None else left


@request_context.under_request_of_row
def _send(video: Video) -> Answer:
    """Outside any transaction: the key is committed, so a retry after a crash carries it too.

    Touches no database, except for an order with uploads, which may have to be sent before it.
    """
    ordered_at, key, client = database_clock.now(), video.idempotency_key or "", client_for(video)
    try:
        spec = spec_of(video, partial(assets.asset_id_of, client=client))
        submission = client.create_video(spec, idempotency_key=key, callback_id=str(video.pk))
    except HeyGenError as error:
        return Answer(video, ordered_at, error=error)
    except OSError as error:
        logger.exception("upload_unreadable", video_id=str(video.pk))
        return Answer(video, ordered_at, error=Unknown("upload_unreadable", str(error)))
    return Answer(video, ordered_at, submission.video_id)


def _try_to_send(video: Video) -> Answer | None:
    try:
        return _send(video)
    except Exception:
        # An error with one video must not stop the others: its lease ends, and the order goes out again.
        logger.exception("order_not_sent", video_id=str(video.pk))
        return None
    finally:
        # An upload may have been sent: the thread's connection would stay open.
        connections.close_all()


def _record(answers: Iterable[Answer]) -> None:
    accepted = {answer.video: answer for answer in answers if answer.error is None}
    moved = record_acceptances({video: answer.provider_video_id for video, answer in accepted.items()})
    proofs = [accepted[video].ordered_at for video in moved if not video.is_test]
    if proofs:
        provider_gate.record_success(max(proofs))
    for answer in answers:
        if answer.error is not None:
            _record_refusal(answer)


def _record_refusal(answer: Answer) -> None:
    try:
        _record_one(answer)
    except Exception:
        # As above.
        logger.exception("order_not_recorded", video_id=str(answer.video.pk))


def _record_one(answer: Answer) -> None:
    video = answer.video
    with request_context.use(video.request_context):
        if answer.error is not None:
            _handle_error(video, client_for(video), answer.error, answer.ordered_at)
        elif record_acceptance(video, answer.provider_video_id, reason=ACCEPTED) and not video.is_test:
            provider_gate.record_success(answer.ordered_at)


def spec_of(video: Video, asset_id: AssetId) -> RenderSpec:
    """The order on the wire. Raises HeyGenError where an upload of it cannot be sent."""
    return RenderSpec(
        **registry.kind_named(video.kind).write(video, asset_id),
        **sounds.write(video, asset_id),
        title=video.provider_title,
        format=video.format,
        resolution=video.resolution,
        burn_captions=video.captions,
        background=_background_of(video, asset_id),
        engine=video.engine,
    )


def _background_of(video: Video, asset_id: AssetId) -> Background | None:
    if video.background_upload is not None:
        return Background("asset", asset_id(video.background_upload))
    if not video.background:
        return None
    kind = video.background["type"]
    return Background(kind, video.background["value" if kind == "color" else "url"])


def _handle_error(video: Video, client: HeyGenClient, error: HeyGenError, ordered_at: datetime) -> None:
    log = logger.bind(video_id=str(video.pk), code=error.code, calls=video.calls)
    log.warning("submission_not_accepted", error=str(error), provider_request_id=error.request_id)
    if video.is_test and isinstance(error, (OperatorProblem, Busy)):
        # The test renderer has no gate: retry until its operator has fixed it.
        retry_order_later(video, error)
        return
    if isinstance(error, (OperatorProblem, Busy)):
        provider_gate.trip(error, video=video, ordered_at=ordered_at)
    if isinstance(error, (OperatorProblem, Busy, Refused, NotFound, NotReady)):
        _run_if_not_made(video, client, lambda: _handle_not_made(video, error))
    else:
        retry_order_later(video, error)


def _run_if_not_made(video: Video, client: HeyGenClient, then: Callable[[], None]) -> None:
    """Run `then` only if this order made no video; adopt the video if it did; else retry later."""
    if video.calls <= 1:
        then()
        return
    try:
        found = find_order(video, client)
    except HeyGenError as error:
        retry_order_later(video, error)
        return
    if found is not None:
        record_acceptance(video, found.id, reason="found_at_provider")
    else:
        then()


def find_order(video: Video, client: HeyGenClient) -> RemoteVideo | None:
    """Find the order by its title. HeyGen matches parts of titles, so the title is compared whole."""
    return next((each for each in client.find_videos(video.provider_title) if each.title == video.provider_title), None)


def _handle_not_made(video: Video, error: HeyGenError) -> None:
    if isinstance(error, (OperatorProblem, Busy)) and video.calls > 1:
        # An unanswered call may still make a video that cannot be found yet:
        # only a retry with its key makes no second one.
        retry_order_later(video, error)
    elif isinstance(error, (OperatorProblem, Busy)):
        settlement.requeue_video(video, reason=f"provider_{error.code}"[:60], why=str(error))
    elif error.code == ASSET_GONE and video.attempt < MAX_ASSET_ORDERS and _forget_assets(video):
        settlement.requeue_video(video, reason=ASSET_GONE, why=str(error))
    elif isinstance(error, NotReady) and video.tries < MAX_NOT_READY_TRIES:
        retry_order_later(video, error)
    elif video.calls > 1 and video.tries < LISTED_AFTER_TRIES:
        # Too soon after an unanswered call for the look-up to prove absence.
        retry_order_later(video, error)
    else:
        failed_renders.end_refused_render(video, error)


def _forget_assets(video: Video) -> bool:
    """Whether the order named uploads that HeyGen had: they are sent again with the next order."""
    uploads = [video.picture, video.audio, video.background_upload]
    sent = [upload for upload in uploads if upload is not None and upload.provider_asset_id]
    for upload in sent:
        assets.forget_asset(upload)
    return bool(sent)


def retry_order_later(video: Video, error: HeyGenError) -> None:
    wait = video.retry_pause(at_least=min(error.retry_after or 0.0, MAX_BUSY_SECONDS)).total_seconds()
    left = _seconds_left(video)
    video.retry_later(min(wait, left) if left > 0 else wait, f"HeyGen: {error}")


def give_up_submission(video: Video) -> None:
    # Not during a call: its video cannot be found yet.
    if not video.claim(settings.VIDEO_SUBMIT_LEASE):
        return
    client = client_for(video)
    try:
        found = find_order(video, client)
    except HeyGenError as error:
        if last_deadlines.seconds_to_last_deadline(video) > 0:
            retry_order_later(video, error)
        elif _fail_submission(video):
            last_deadlines.raise_last_deadline_alarm(video, str(error))
        return
    if found is not None:
        record_acceptance(video, found.id, reason="found_at_provider")
        return
    _fail_submission(video)


def _fail_submission(video: Video) -> bool:
    return settlement.fail_video(
        video,
        code="provider_unavailable",
        message="The video service could not be reached for a day. Nothing was charged.",
        reason="submit_deadline",
    )
