"""Ends of renders that produced no file: failed, refused, lost, or out of time."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Least

from genvid.heygen.failures import failure_of_error
from genvid.heygen.heygen_errors import Busy, HeyGenError, OperatorProblem
from genvid.heygen.heygen_types import Failure
from genvid.leasing import from_now
from videos import settlement
from videos.enums import Status
from videos.models import Video
from videos.pipeline import last_deadlines
from videos.provider import provider_gate

logger = structlog.get_logger(__name__)
EXTENSION_SECONDS = 3600.0


def end_failed_render(video: Video, failure: Failure | None) -> None:
    if failure is not None and not video.is_test and (failure.operator_problem or failure.is_busy):
        _requeue_render(video, failure)
        return
    settlement.fail_video(
        video,
        code=failure.code if failure else "render_failed",
        message=failure.message if failure else "The render failed.",
        retryable=failure.retryable if failure else True,
        reason="failed_at_provider",
        provider_error=f"{failure.raw_code} {failure.raw_message}" if failure else "",
    )


def _requeue_render(video: Video, failure: Failure) -> None:
    provider_gate.trip(failure, video=video, ordered_at=video.submitted_at)
    reason = "provider_operator_problem" if failure.operator_problem else "provider_busy"
    settlement.requeue_video(video, reason=reason, why=f"{failure.raw_code} {failure.raw_message}".strip())


def end_refused_render(video: Video, error: HeyGenError) -> None:
    failure = failure_of_error(error)
    settlement.fail_video(
        video,
        code=failure.code,
        message=failure.message,
        retryable=failure.retryable,
        reason="refused_by_provider",
        provider_error=str(error),
    )


def end_lost_render(video: Video, error: HeyGenError) -> None:
    settlement.fail_video(
        video,
        code="render_lost",
        message="The render was lost at the video service. Nothing was charged.",
        reason="unknown_at_provider",
        provider_error=str(error),
    )


def extend_deadline(video: Video, error: HeyGenError) -> None:
    if isinstance(error, (OperatorProblem, Busy)) and not video.is_test:
        provider_gate.trip(error)
    if last_deadlines.seconds_to_last_deadline(video) > 0:
        logger.error("deadline_extended", video_id=str(video.pk), error=str(error))
        rendering = Video.objects.filter(pk=video.pk, status=Status.RENDERING)
        last = F("moved_at") + timedelta(seconds=settings.VIDEO_LAST_DEADLINE)
        rendering.update(deadline_at=Least(from_now(EXTENSION_SECONDS), last))
        return
    if time_out(video):
        last_deadlines.raise_last_deadline_alarm(video, str(error))


def time_out(video: Video) -> bool:
    return settlement.fail_video(
        video,
        code="render_timeout",
        message="The video service did not finish in time. Nothing was charged.",
        reason="render_deadline",
    )
