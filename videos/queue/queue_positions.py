"""Queue positions of videos: for clients from the snapshot, and the rows of the queue for the scheduler."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing import credits
from genvid import database_clock
from videos.enums import Status
from videos.models import Video, seconds_from_now
from videos.queue import queue_snapshot
from videos.queue.fairness import AccountQueue
from videos.queue.queue_facts import Slots
from videos.queue.queue_order import AccountShare, QueueOrder, QueuePosition
from videos.queue.queue_snapshot import RECENT_SECONDS, Snapshot, microseconds

__all__ = ["AccountQueue", "QueuePosition"]
Turn = tuple[datetime, UUID]


def account_queues() -> list[AccountQueue]:
    """The queue as it is now, for the scheduler alone: it reads the rows of every account."""
    now = database_clock.now()
    limits = credits.plan_limits_of(Video.objects.queueing_accounts(now))
    queues = {row.pop("account_id"): row for row in Video.objects.account_queue_rows(now)}
    rendered = Video.objects.rendered_since(seconds_from_now(-RECENT_SECONDS))
    return [
        AccountQueue(
            account_id,
            limits[account_id].weight,
            limits[account_id].max_in_flight,
            **row,
            rendered=rendered.get(account_id, 0),
        )
        for account_id, row in queues.items()
        # One that came between the statements has its turn in the next run.
        if account_id in limits
    ]


@dataclass(frozen=True)
class Positions:
    """`slots` is None, and nothing is found, where no position can be told."""

    found: Mapping[UUID, QueuePosition]
    slots: Slots | None


UNKNOWN = Positions({}, None)


def queue_positions_of(videos: Iterable[Video]) -> Positions:
    """Positions of the queued ones of `videos`; none for test videos and those set aside.

    One statement for the videos of one account, none without one in the queue. For those of several accounts more are
    needed where some are newer than the snapshot.
    """
    waiting = sorted((video for video in videos if _is_in_queue(video)), key=_turn)
    if not waiting:
        return UNKNOWN
    by_account: defaultdict[UUID, list[Video]] = defaultdict(list)
    for video in waiting:
        by_account[video.account_id].append(video)
    is_one, last = len(by_account) == 1, waiting[-1]
    snapshot = queue_snapshot.read(last.account_id, _turn(last)) if is_one else queue_snapshot.read()
    if snapshot is None:
        return UNKNOWN
    newest = snapshot.order.newest[0]
    new = [video for video in waiting if microseconds(_turn(video)[0]) > newest]
    ahead = _counted_ahead(new, snapshot.newer) if is_one else _read_ahead(new, snapshot)
    found: dict[UUID, QueuePosition] = {}
    for mine in by_account.values():
        found |= _positions(snapshot, mine, ahead)
    return Positions(found, snapshot.slots)


def _is_in_queue(video: Video) -> bool:
    return video.status == Status.QUEUED and not video.is_test and video.set_aside_at is None


def _turn(video: Video) -> Turn:
    """Its order within its account. One without a time in the queue was never in the snapshot."""
    return video.queued_at or queue_snapshot.LAST_OF_ALL[0], video.pk


def _counted_ahead(new: Sequence[Video], count: int) -> dict[UUID, int]:
    """How many of its account's new videos are ahead of each. `count`: of these up to the last of `new`.

    Exact where no other lies between `new`, as in lists without filters; otherwise at most that many too low or high.
    """
    before = max(0, count - len(new))
    return {video.pk: before + number for number, video in enumerate(new)}


def _read_ahead(new: Sequence[Video], snapshot: Snapshot) -> dict[UUID, int]:
    if not new:
        return {}
    turns: defaultdict[UUID, list[Turn]] = defaultdict(list)
    since = queue_snapshot.moment_of(snapshot.order.newest[0])
    for account_id, *turn in Video.objects.queued_after(since, {video.account_id for video in new}):
        turns[account_id].append((turn[0], turn[1]))
    for each in turns.values():
        each.sort()
    return {video.pk: bisect_left(turns[video.account_id], _turn(video)) for video in new}


def _positions(snapshot: Snapshot, videos: Sequence[Video], ahead: Mapping[UUID, int]) -> dict[UUID, QueuePosition]:
    """Of videos of one account. `ahead`: for those newer than the snapshot, the new ones before them."""
    order, last = snapshot.order, max((ahead[video.pk] for video in videos if video.pk in ahead), default=0)
    share = _share(snapshot, videos[0].account_id, last)
    return {video.pk: order.position(share, _nth(order, share, video, ahead)) for video in videos}


def _nth(order: QueueOrder, share: AccountShare, video: Video, ahead: Mapping[UUID, int]) -> int:
    if video.pk in ahead:
        return share.waiting + ahead[video.pk]
    return order.earlier(share, queue_snapshot.key_of(*_turn(video)))


def _share(snapshot: Snapshot, account_id: UUID, last: int) -> AccountShare:
    """`last`: the number of its last new video, from 0. The first of a newcomer has the same position on any plan."""
    share = snapshot.order.share_of(account_id)
    if share is not None or last == 0:
        return share or snapshot.order.newcomer(1, 1)
    is_read = account_id == snapshot.account_id
    limits = credits.limits_of_plan(snapshot.plan) if is_read else credits.plan_limits_of([account_id])[account_id]
    return snapshot.order.newcomer(limits.weight, limits.max_in_flight)


@dataclass(frozen=True)
class NextPositions:
    found: Sequence[QueuePosition]
    slots: Slots


def next_positions(account_id: UUID, count: int = 1) -> NextPositions | None:
    """The positions that videos queued now would get. None where no position can be told."""
    return _positions_after(account_id, count, 0)


def last_positions(account_id: UUID, count: int) -> NextPositions | None:
    """The positions of the `count` videos that were queued last, in this transaction."""
    return _positions_after(account_id, count, count)


def _positions_after(account_id: UUID, count: int, queued: int) -> NextPositions | None:
    """`queued`: how many of these are in the queue already."""
    snapshot = queue_snapshot.read(account_id)
    if snapshot is None:
        return None
    before = max(0, snapshot.newer - queued)
    share = _share(snapshot, account_id, before + count - 1)
    first = share.waiting + before
    found = [snapshot.order.position(share, nth) for nth in range(first, first + count)]
    return NextPositions(found, snapshot.slots)
