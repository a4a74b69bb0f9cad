"""Fair order of the queue: pure arithmetic, shared by the scheduler and by `queue_position`.

The account with the fewest videos in flight per weight goes first; then the one with the fewest recent renders, or else
an account with a thousand videos would get a single slot again and again; then the one with the oldest video in flight
or waiting. The last two do not change as slots are handed out, so positions are stable while nothing ends. Within an
account the oldest video goes first, so only accounts are compared.
"""

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from uuid import UUID

Tie = tuple[Fraction, datetime, UUID]
Rank = tuple[bool, Fraction, Tie]


@dataclass(frozen=True)
class AccountQueue:
    account_id: UUID
    weight: int
    limit: int
    in_flight: int
    waiting: int
    head: datetime
    """The time of its oldest video in flight or waiting."""
    rendered: int = 0

    @property
    def claimable(self) -> int:
        return min(self.waiting, max(0, self.limit - self.in_flight))

    def after(self, claimed: int, share: int) -> "AccountQueue":
        """The queue after `claimed` of its `share` went; fewer than its share means that no more can go."""
        left = self.waiting - claimed if claimed == share else 0
        return replace(self, in_flight=self.in_flight + claimed, waiting=left)

    def rank(self, nth: int) -> Rank:
        """The rank of its `nth` waiting video, from 0: videos beyond its own limit come after all others."""
        return nth >= self.claimable, Fraction(self.in_flight + nth, self.weight), self.tie

    @property
    def tie(self) -> Tie:
        return Fraction(self.rendered, self.weight), self.head, self.account_id

    def ahead_of(self, rank: Rank) -> int:
        """How many of its waiting videos go before `rank`: the inverse of `rank()`, so change both together."""
        beyond, load, tie = rank
        lighter = -(-load.numerator * self.weight // load.denominator) - self.in_flight
        even = (load * self.weight).denominator == 1 and self.tie < tie
        count = max(0, lighter + (1 if even and lighter >= 0 else 0))
        return max(self.claimable, min(self.waiting, count)) if beyond else min(self.claimable, count)


def allot_slots(queues: Iterable[AccountQueue], slots: int) -> Counter[UUID]:
    given: Counter[UUID] = Counter()
    by_rank = [(queue.rank(0), queue) for queue in queues if queue.claimable]
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


def position_of(queues: Iterable[AccountQueue], account_id: UUID, nth: int) -> int:
    """The position in the whole queue, from 1, of an account's `nth` waiting video, from 0."""
    by_account = {queue.account_id: queue for queue in queues}
    rank = by_account.pop(account_id).rank(nth)
    return nth + 1 + sum(queue.ahead_of(rank) for queue in by_account.values())
