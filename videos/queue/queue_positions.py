"""Queue positions: reads the rows for the arithmetic of `fairness`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from uuid import UUID

from django.db.models import Count, Min
from django.utils import timezone

from billing import credits
from videos.enums import Status
from videos.models import Video, seconds_from_now
from videos.queue import fairness
from videos.queue.fairness import AccountQueue

EXACT_EVERY = 20
RECENT_SECONDS = 900.0


def account_queues() -> list[AccountQueue]:
    queues = {row.pop("account_id"): row for row in Video.objects.account_queue_rows(timezone.now())}
    limits = credits.plan_limits_of(queues)
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
    ]


@dataclass(frozen=True)
class QueuePosition:
    """`position`: 1 goes next. `is_beyond_own_slots`: its account's own limit does not allow it now."""

    position: int
    is_beyond_own_slots: bool


def queue_positions_of(videos: Iterable[Video]) -> dict[UUID, QueuePosition]:
    """Positions of the queued ones of `videos`; none for test videos and those set aside. At most five queries."""
    queued = (video for video in videos if video.status == Status.QUEUED)
    waiting = {video.pk: video.account_id for video in queued if not video.is_test and video.set_aside_at is None}
    if not waiting:
        return {}
    now_waiting = Video.objects.queued_before_in_account(list(waiting))
    queues = account_queues()
    known = {queue.account_id: queue for queue in queues}
    return {
        pk: _position(queues, known[waiting[pk]], earlier)
        for pk, earlier in now_waiting.items()
        if waiting[pk] in known
    }


def _position(queues: Iterable[AccountQueue], queue: AccountQueue, nth: int) -> QueuePosition:
    return QueuePosition(fairness.position_of(queues, queue.account_id, nth), nth >= queue.claimable)


def positions_of(videos: Iterable[Video]) -> dict[UUID, int]:
    return {pk: each.position for pk, each in queue_positions_of(videos).items()}


def position_of_next(account_id: UUID) -> int:
    return positions_of_next(account_id, 1)[0]


def queue_position_of_next(account_id: UUID) -> QueuePosition:
    return _exact_positions_of_next(account_id, [0])[0]


def positions_of_next(account_id: UUID, count: int) -> list[int]:
    """The positions that videos queued now would get: every twentieth exactly, interpolated between."""
    marks = sorted({*range(0, count, EXACT_EVERY), count - 1})
    found = [each.position for each in _exact_positions_of_next(account_id, marks)]
    positions = found[:1]
    for (start, end), (first, last) in zip(pairwise(marks), pairwise(found), strict=True):
        positions += [first + (last - first) * (nth - start) // (end - start) for nth in range(start + 1, end + 1)]
    return positions


def _exact_positions_of_next(account_id: UUID, marks: Sequence[int]) -> list[QueuePosition]:
    queues = {queue.account_id: queue for queue in account_queues()}
    mine = queues.get(account_id)
    if mine is None:
        limits = credits.plan_limits_of([account_id])[account_id]
        mine_flying = Video.objects.live().in_own_slots(timezone.now()).filter(account=account_id)
        flying = mine_flying.aggregate(count=Count("id"), head=Min("queued_at"))
        head = flying["head"] or timezone.now()
        rendered = Video.objects.rendered_since(seconds_from_now(-RECENT_SECONDS)).get(account_id, 0)
        mine = AccountQueue(account_id, limits.weight, limits.max_in_flight, flying["count"], 0, head, rendered)
    longer = replace(mine, waiting=mine.waiting + marks[-1] + 1)
    queues[account_id] = longer
    return [_position(queues.values(), longer, mine.waiting + nth) for nth in marks]


def positions_of_last(account_id: UUID, count: int) -> list[QueuePosition]:
    queues = account_queues()
    mine = next(queue for queue in queues if queue.account_id == account_id)
    return [_position(queues, mine, nth) for nth in range(mine.waiting - count, mine.waiting)]
