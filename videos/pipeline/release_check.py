"""Orders whose avatar or voice is not released to their account: they stay in the queue, uncharged."""

import structlog

from genvid import database_clock
from videos import settlement
from videos.models import Video
from videos.queue.waiting_reasons import AWAITS_RELEASE

logger = structlog.get_logger(__name__)


def is_withheld(video: Video) -> bool:
    cast = (video.avatar, video.voice)
    return not all(entry is None or entry.is_released_to(video.account_id) for entry in cast)


def return_to_queue(video: Video) -> None:
    """Only for an order that was never sent: a sent one may be rendering already."""
    settlement.requeue_video(video, reason="awaits_release", why=AWAITS_RELEASE)


def update_waiting_reasons() -> None:
    queued = Video.objects.queued()
    withheld = queued.cast_withheld().exclude(waiting_reason=AWAITS_RELEASE)
    withheld_count = withheld.update(waiting_reason=AWAITS_RELEASE, updated_at=database_clock.now())
    # Released meanwhile: they wait for a slot like any other video.
    queued.filter(waiting_reason=AWAITS_RELEASE).cast_released().update(
        waiting_reason="", updated_at=database_clock.now()
    )
    if withheld_count:
        logger.error("orders_await_release", count=withheld_count)
