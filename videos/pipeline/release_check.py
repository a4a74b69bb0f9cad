"""Orders that name an avatar or a voice that is not released to their account.

They stay in the queue, uncharged, until staff release the row, cancel the order, or `VIDEO_QUEUE_DEADLINE` ends it.
The scheduler passes them over (`VideoQuerySet.cast_released`), a submission that had been claimed before the row was
taken back returns to the queue, and the sweep keeps `waiting_reason` true for staff.
"""

import structlog
from django.utils import timezone

from videos import settlement
from videos.models import Video
from videos.queue.waiting_reasons import AWAITS_RELEASE

logger = structlog.get_logger(__name__)


def is_withheld(video: Video) -> bool:
    """Whether this order may not be sent. `video` comes with its avatar and voice."""
    cast = (video.avatar, video.voice)
    return not all(entry.is_released_to(video.account_id) for entry in cast)


def return_to_queue(video: Video) -> None:
    """Give the slot back. Only for an order that was never sent: another one may be rendering already."""
    settlement.requeue_video(video, reason="awaits_release", why=AWAITS_RELEASE)


def note_reasons() -> None:
    """Say of every queued order whether it waits for a release."""
    queued = Video.objects.queued()
    withheld = queued.cast_withheld().exclude(waiting_reason=AWAITS_RELEASE)
    noted = withheld.update(waiting_reason=AWAITS_RELEASE, updated_at=timezone.now())
    # Released meanwhile: what it waits for now is for the scheduler to say.
    queued.filter(waiting_reason=AWAITS_RELEASE).cast_released().update(waiting_reason="", updated_at=timezone.now())
    if noted:
        logger.error("orders_await_release", count=noted)
