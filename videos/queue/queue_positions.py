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

EXACT = 20
LATELY_SECONDS = 900.0
"""Renders that ended within this time count when accounts are equal otherwise."""


def account_queues() -> list[AccountQueue]:
    """Every account with waiting videos. At most four queries."""
    queues = {row.pop("account_id"): row for row in Video.objects.lines(timezone.now())}
    limits = credits.plan_limits_of(queues)
    rendered = Video.objects.rendered_since(seconds_from_now(-LATELY_SECONDS))
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


def positioned(videos: Iterable[Video]) -> dict[UUID, QueuePosition]:
    """The positions of those of `videos` that wait. At most five queries.

    Videos of test keys wait elsewhere, and those set aside wait for staff: they have no position.
    """
    queued = (video for video in videos if video.status == Status.QUEUED)
    waiting = {video.pk: video.account_id for video in queued if not video.is_test and video.set_aside_at is None}
    if not waiting:
        return {}
    now_waiting = Video.objects.queued_before_in_account(list(waiting))
    queues = account_queues()
    known = {line.account_id: line for line in queues}
    return {
        pk: _position(queues, known[waiting[pk]], earlier)
        for pk, earlier in now_waiting.items()
        if waiting[pk] in known
    }


def _position(queues: Iterable[AccountQueue], line: AccountQueue, nth: int) -> QueuePosition:
    return QueuePosition(fairness.position_of(queues, line.account_id, nth), nth >= line.claimable)


def positions_of(videos: Iterable[Video]) -> dict[UUID, int]:
    return {pk: place.position for pk, place in positioned(videos).items()}


def position_of_next(account_id: UUID) -> int:
    """The position that a video queued now would get."""
    return positions_of_next(account_id, 1)[0]


def positioned_next(account_id: UUID) -> QueuePosition:
    return _exactly_of_next(account_id, [0])[0]


def positions_of_next(account_id: UUID, count: int) -> list[int]:
    """The positions that videos queued now would get: every twentieth exactly, interpolated between."""
    marks = sorted({*range(0, count, EXACT), count - 1})
    found = [place.position for place in _exactly_of_next(account_id, marks)]
    line = found[:1]
    for (start, end), (first, last) in zip(pairwise(marks), pairwise(found), strict=True):
        line += [first + (last - first) * (nth - start) // (end - start) for nth in range(start + 1, end + 1)]
    return line


def _exactly_of_next(account_id: UUID, marks: Sequence[int]) -> list[QueuePosition]:
    queues = {line.account_id: line for line in account_queues()}
    mine = queues.get(account_id)
    if mine is None:
        limits = credits.plan_limits_of([account_id])[account_id]
        mine_flying = Video.objects.live().in_own_slots(timezone.now()).filter(account=account_id)
        flying = mine_flying.aggregate(count=Count("id"), head=Min("queued_at"))
        head = flying["head"] or timezone.now()
        rendered = Video.objects.rendered_since(seconds_from_now(-LATELY_SECONDS)).get(account_id, 0)
        mine = AccountQueue(account_id, limits.weight, limits.max_in_flight, flying["count"], 0, head, rendered)
    longer = replace(mine, waiting=mine.waiting + marks[-1] + 1)
    queues[account_id] = longer
    return [_position(queues.values(), longer, mine.waiting + nth) for nth in marks]


def position_of_last(account_id: UUID, count: int) -> list[QueuePosition]:
    """The positions of the last `count` videos of an account's queue, without reading each of them."""
    queues = account_queues()
    mine = next(line for line in queues if line.account_id == account_id)
    return [_position(queues, mine, nth) for nth in range(mine.waiting - count, mine.waiting)]
