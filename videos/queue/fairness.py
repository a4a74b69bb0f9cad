"""Fair order of the queue: pure arithmetic, shared by the scheduler and by queue positions.

The account with the fewest videos in flight per weight goes first; then the one with the fewest recent renders, or else
an account with a thousand videos would get a single slot again and again; then the one with the oldest video in flight
or waiting. The last two do not change as slots are handed out, so positions are stable while nothing ends. Within an
account the oldest video goes first, so only accounts are compared.
"""

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

SHARE_BITS = 30
"""Two different fractions with denominators below 2**15, as all weights are, stay apart and in order."""

Tie = tuple[int, int, UUID]
Rank = tuple[bool, int, Tie]


def per_weight(count: int, weight: int) -> int:
    """`count / weight` as an integer that compares as the fraction does."""
    return (count << SHARE_BITS) // weight


@dataclass(frozen=True)
class AccountQueue:
    account_id: UUID
    weight: int
    limit: int
    in_flight: int
    waiting: int
    head: int
    """The time of its oldest video in flight or waiting, in microseconds."""
    rendered: int = 0

    @property
    def own_slots(self) -> int:
        """How many more its own limit permits now."""
        return max(0, self.limit - self.in_flight)

    @property
    def claimable(self) -> int:
        return min(self.waiting, self.own_slots)

    def after(self, claimed: int, share: int) -> "AccountQueue":
        """The queue after `claimed` of its `share` went; fewer than its share means that no more can go."""
        left = self.waiting - claimed if claimed == share else 0
        return replace(self, in_flight=self.in_flight + claimed, waiting=left)

    def rank(self, nth: int) -> Rank:
        """The rank of its `nth` waiting video, from 0: videos beyond its own limit come after all others."""
        return nth >= self.claimable, per_weight(self.in_flight + nth, self.weight), self.tie

    @property
    def tie(self) -> Tie:
        return per_weight(self.rendered, self.weight), self.head, self.account_id


def allot_slots(queues: Iterable[AccountQueue], slots: int) -> Counter[UUID]:
    given: Counter[UUID] = Counter()
    by_rank = [(queue.rank(0), queue) for queue in queues if queue.claimable] if slots > 0 else []
    heapq.heapify(by_rank)
    for _ in range(slots):
        if not by_rank:
            break
        queue = by_rank[0][1]
        given[queue.account_id] += 1
        nth = given[queue.account_id]
        if nth < queue.claimable:
            heapq.heapreplace(by_rank, (queue.rank(nth), queue))
        else:
            heapq.heappop(by_rank)
    return given
