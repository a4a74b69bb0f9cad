"""Composes the mails about videos when they are sent, for the person who ordered the video."""

from accounts.teams.owner_emails import notice_recipients
from genvid.mail.composing import Message, Order, composes
from videos.enums import MailKind, Status
from videos.models import Batch, Video


@composes(MailKind.VIDEO_READY)
def video_ready(order: Order) -> Message | None:
    return _of_video(order, Status.COMPLETED)


@composes(MailKind.VIDEO_FAILED)
def video_failed(order: Order) -> Message | None:
    return _of_video(order, Status.FAILED)


@composes(MailKind.BATCH_FINISHED)
def batch_finished(order: Order) -> Message | None:
    """None for a batch that was canceled whole: its client knows."""
    batch = Batch.objects.filter(pk=order.data["batch"]).first()
    videos = Video.objects.filter(batch=batch, deleted_at=None)
    counts = {f"{status}": videos.filter(status=status).count() for status in (Status.COMPLETED, Status.FAILED)}
    to = notice_recipients(order.person, order.account)
    return Message(to, counts | {"batch": batch}) if batch and to and any(counts.values()) else None


def _of_video(order: Order, status: Status) -> Message | None:
    """None once the video was deleted, or made again."""
    video = Video.objects.filter(pk=order.data["video"], status=status, deleted_at=None).first()
    to = notice_recipients(order.person, order.account)
    return Message(to, {"video": video, "id": str(video.pk)}) if video and to else None
