"""The order of the whole queue in a compact form, by the arithmetic of `fairness`: pure, without the database.

A position is found by binary search. The packed form is the columns as they lie in memory.
"""

import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any
from uuid import UUID

from videos.queue.fairness import AccountQueue, per_weight

FORMAT = b"queue-1" + sys.byteorder[:1].encode()
"""Changes with every change of the packed form: another release, or another machine, may have written it."""
TIE_BITS = 32
ID_BYTES = 16

VideoKey = tuple[int, int]
"""Place of a video within its account: microseconds of `queued_at`, and the first half of its id."""
Numbers = Sequence[int]


@dataclass(frozen=True)
class QueuePosition:
    """`position`: 1 goes next. `is_beyond_own_slots`: its account's own limit does not allow it now."""

    position: int
    is_beyond_own_slots: bool


@dataclass(frozen=True)
class AccountShare:
    """What positions of one account follow from. Its waiting videos are those from `first` to before `last`."""

    weight: int
    own_slots: int
    in_flight: int
    tie: int
    first: int = 0
    last: int = 0

    @property
    def waiting(self) -> int:
        return self.last - self.first


@dataclass(frozen=True)
class QueueOrder:
    """Columns by account in the order of ids, by waiting video in the order of accounts, and by rank.

    By rank there are two lists of the ties of the videos, grouped by load: within, then beyond, their own limits.
    """

    accounts: Any
    weights: Numbers
    own_slots: Numbers
    in_flight: Numbers
    ties: Numbers
    starts: Numbers
    queued_at: Numbers
    ids: Numbers
    loads: Numbers
    load_starts: Numbers
    load_ties: Numbers
    late_loads: Numbers
    late_load_starts: Numbers
    late_load_ties: Numbers
    without_renders: Numbers
    """One number: the accounts without recent renders, which all are ahead of an unknown account in ties."""
    newest: Numbers
    """One number: the microseconds of `queued_at` of the newest waiting video; 0 without one."""

    def share_of(self, account_id: UUID) -> AccountShare | None:
        """None for an account that had nothing waiting, in flight or lately rendered."""
        known, wanted = self.accounts, account_id.bytes
        size = len(known) // ID_BYTES
        at = bisect_left(range(size), wanted, key=lambda index: bytes(known[index * ID_BYTES : (index + 1) * ID_BYTES]))
        if at == size or bytes(known[at * ID_BYTES : (at + 1) * ID_BYTES]) != wanted:
            return None
        figures = (self.weights[at], self.own_slots[at], self.in_flight[at], self.ties[at])
        return AccountShare(*figures, self.starts[at], self.starts[at + 1])

    def newcomer(self, weight: int, limit: int) -> AccountShare:
        """The share of an account that `share_of` does not know."""
        return AccountShare(weight, limit, 0, self.without_renders[0])

    def earlier(self, share: AccountShare, key: VideoKey) -> int:
        """How many videos of the account wait before that of `key`."""
        at = bisect_left(self.queued_at, key[0], share.first, share.last)
        while at < share.last and (self.queued_at[at], self.ids[at]) < key:
            at += 1
        return at - share.first

    def position(self, share: AccountShare, nth: int) -> QueuePosition:
        """The position of the account's `nth` video, from 0; beyond those that wait, of one that is new."""
        load, is_beyond = per_weight(share.in_flight + nth, share.weight), nth >= share.own_slots
        if is_beyond:
            ahead = len(self.load_ties)
            ahead += _ahead(self.late_loads, self.late_load_starts, self.late_load_ties, load, share.tie)
        else:
            ahead = _ahead(self.loads, self.load_starts, self.load_ties, load, share.tie)
        return QueuePosition(ahead + 1 + max(0, nth - share.waiting), is_beyond)

    def packed(self) -> bytes:
        columns = [bytes(getattr(self, name)) for name, _ in _COLUMNS]
        return _HEADER.pack(FORMAT, *map(len, columns)) + b"".join(columns)


_TYPES = {
    "accounts": "B",
    "weights": "H",
    "own_slots": "H",
    "queued_at": "q",
    "ids": "Q",
    "loads": "Q",
    "late_loads": "Q",
    "newest": "q",
}
_COLUMNS = [(field.name, _TYPES.get(field.name, "I")) for field in fields(QueueOrder)]
_HEADER = struct.Struct(f"<{len(FORMAT)}s{len(_COLUMNS)}I")


def _ahead(loads: Numbers, starts: Numbers, ties: Numbers, load: int, tie: int) -> int:
    at = bisect_left(loads, load)
    if at == len(loads) or loads[at] != load:
        return starts[at]
    return bisect_left(ties, tie, starts[at], starts[at + 1])


def order_of(accounts: Iterable[tuple[AccountQueue, Sequence[VideoKey]]]) -> QueueOrder:
    """Each account's queue with its waiting videos, oldest first."""
    pairs = sorted(accounts, key=lambda pair: pair[0].account_id.int)
    by_id = [queue for queue, _ in pairs]
    keys = [key for _, waiting in pairs for key in waiting]
    by_tie = sorted(range(len(by_id)), key=[queue.tie for queue in by_id].__getitem__)
    ties = {at: tie for tie, at in enumerate(by_tie)}
    within, beyond = _ranked(by_id[at] for at in by_tie)
    columns = {
        "accounts": b"".join(queue.account_id.bytes for queue in by_id),
        "weights": [queue.weight for queue in by_id],
        "own_slots": [queue.own_slots for queue in by_id],
        "in_flight": [queue.in_flight for queue in by_id],
        "ties": [ties[at] for at in range(len(by_id))],
        "starts": _starts(queue.waiting for queue in by_id),
        "queued_at": [moment for moment, _ in keys],
        "ids": [number for _, number in keys],
        "newest": [max((moment for moment, _ in keys), default=0)],
        "without_renders": [sum(queue.rendered == 0 for queue in by_id)],
    }
    columns |= dict(zip(("loads", "load_starts", "load_ties"), _grouped(within), strict=True))
    columns |= dict(zip(("late_loads", "late_load_starts", "late_load_ties"), _grouped(beyond), strict=True))
    return QueueOrder(**{name: array(code, columns[name]) for name, code in _COLUMNS})


def _ranked(by_tie: Iterable[AccountQueue]) -> tuple[list[int], list[int]]:
    """Load and tie of every waiting video as one number, sorted: within, and beyond, its account's own limit."""
    within: list[int] = []
    beyond: list[int] = []
    for tie, queue in enumerate(by_tie):
        ranks = [per_weight(queue.in_flight + nth, queue.weight) << TIE_BITS | tie for nth in range(queue.waiting)]
        within += ranks[: queue.claimable]
        beyond += ranks[queue.claimable :]
    return sorted(within), sorted(beyond)


def _grouped(ranks: Iterable[int]) -> tuple[list[int], list[int], list[int]]:
    """The loads, where each begins, and the ties."""
    loads: list[int] = []
    starts: list[int] = []
    ties: list[int] = []
    for rank in ranks:
        load, tie = rank >> TIE_BITS, rank & ((1 << TIE_BITS) - 1)
        if not loads or loads[-1] != load:
            loads.append(load)
            starts.append(len(ties))
        ties.append(tie)
    return loads, [*starts, len(ties)], ties


def _starts(counts: Iterable[int]) -> list[int]:
    starts = [0]
    for count in counts:
        starts.append(starts[-1] + count)
    return starts


EMPTY = order_of(())


def unpacked(payload: bytes) -> QueueOrder | None:
    """None for a form that this release does not know."""
    if payload[: len(FORMAT)] != FORMAT or len(payload) < _HEADER.size:
        return None
    _, *lengths = _HEADER.unpack_from(payload)
    ends = _starts(lengths)
    data = payload[_HEADER.size :]
    if len(data) != ends[-1]:
        return None
    parts = zip(_COLUMNS, pairwise(ends), strict=True)
    return QueueOrder(**{name: array(code, data[start:end]) for (name, code), (start, end) in parts})
