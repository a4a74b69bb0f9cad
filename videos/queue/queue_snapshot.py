"""The order of the queue, computed by one process for all: a row that every request reads with one statement.

A task calls `refresh_if_changed` every second. The row says how old it is by the database's clock; one that is older
than MAX_AGE_SECONDS says nothing, for the order may have changed since. A process keeps the order that it read last,
and gets the payload again only when its version has changed; for REUSE_SECONDS it does not even ask.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from billing import credits
from genvid import database_clock
from genvid.compiled_writes import preparing_cursor
from genvid.leasing import from_now
from genvid.process_cache import ProcessCache
from videos.enums import Status
from videos.models import QueueSnapshot, Video, seconds_from_now
from videos.models.queue import LONG_AGO
from videos.queue import queue_order
from videos.queue.fairness import AccountQueue
from videos.queue.queue_facts import AGE, ROW, Facts, Slots, read_facts
from videos.queue.queue_order import QueueOrder, VideoKey

logger = structlog.get_logger(__name__)
MAX_AGE_SECONDS = 10.0
"""With REUSE_SECONDS the most that a position is old."""
RENEW_SECONDS = 3.0
"""An unchanged row is written no more often than this."""
RECENT_SECONDS = 900.0
STALE_LOG_SECONDS = 60.0
REUSE_SECONDS = 0.5
STALE = "stale"
_lately_read = ProcessCache(REUSE_SECONDS, size=1)
_lately_logged = ProcessCache(STALE_LOG_SECONDS, size=1)
BY_SWEEP = "sweep"
"""Fingerprint of what the sweep computed; the next tick, if there is one, computes it again."""
NO_ACCOUNT = UUID(int=0)
LAST_OF_ALL = (datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))

_READ = """
SELECT snapshot.version, {age}, CASE WHEN snapshot.version <> %s THEN snapshot.payload END,
       snapshot.is_shut, snapshot.usable_slots, snapshot.free_slots,
       (SELECT COUNT(*) FROM videos_video video
         WHERE video.account_id = %s AND video.status = 'queued' AND NOT video.is_test AND video.set_aside_at IS NULL
           AND video.submitted_at IS NULL AND video.completed_at IS NULL
           AND video.queued_at > snapshot.newest_queued_at AND (video.queued_at, video.id) <= (%s, %s)),
       ({plan})
  FROM videos_queuesnapshot snapshot WHERE snapshot.id = 1"""
_AGES = {
    "postgresql": "EXTRACT(EPOCH FROM clock_timestamp() - snapshot.computed_at)::float8",
    "sqlite": "(JULIANDAY('now') - JULIANDAY(snapshot.computed_at)) * 86400.0",
}
STATEMENTS = {vendor: _READ.format(age=age, plan=credits.PLAN_OF_ACCOUNT) for vendor, age in _AGES.items()}

_known: tuple[int, QueueOrder | None] = (0, None)
"""Version and order that this process read last. Replaced as a whole, for threads share it."""


@dataclass(frozen=True)
class Snapshot:
    """`newer`: how many videos of `account_id` have come since, up to the one asked for. `plan`: the account's."""

    order: QueueOrder
    slots: Slots
    account_id: UUID
    newer: int
    plan: str | None


def read(account_id: UUID = NO_ACCOUNT, until: tuple[datetime, UUID] = LAST_OF_ALL) -> Snapshot | None:
    """The queue of at most MAX_AGE_SECONDS ago; None without one.

    One statement; none where all that is asked for was in the queue that this process read a moment ago.
    """
    remembered: Snapshot | None = _lately_read.get(ROW)
    if remembered is not None and microseconds(until[0]) <= remembered.order.newest[0]:
        return replace(remembered, account_id=account_id)
    snapshot = _read(account_id, until)
    if snapshot is not None:
        _lately_read.keep(ROW, replace(snapshot, newer=0, plan=None))
    return snapshot


def _read(account_id: UUID, until: tuple[datetime, UUID]) -> Snapshot | None:
    global _known
    version, order = _known
    account, moment, video = _for_database(account_id), connection.ops.adapt_datetimefield_value(until[0]), until[1]
    with preparing_cursor(connection) as cursor:
        cursor.execute(STATEMENTS[connection.vendor], [version, account, moment, _for_database(video), account])
        row = cursor.fetchone()
    if row is None or row[1] > MAX_AGE_SECONDS:
        _log_stale(None if row is None else row[1])
        return None
    if row[2] is not None:
        version, order = _known = row[0], queue_order.unpacked(bytes(row[2]))
    return None if order is None else Snapshot(order, _slots(*row[3:6]), account_id, *row[6:])


def _slots(is_shut: bool, usable: int, free: int) -> Slots:
    return Slots(bool(is_shut) or settings.HEYGEN_API_KEY == "", usable, free)


def _for_database(value: UUID) -> UUID | str:
    return value if connection.features.has_native_uuid_field else value.hex


def _log_stale(age: float | None) -> None:
    if _lately_logged.get(STALE) is None:
        _lately_logged.keep(STALE, True)
        logger.warning("queue_snapshot_stale", seconds=None if age is None else round(age, 1))


def microseconds(moment: datetime) -> int:
    return (moment - LONG_AGO) // timedelta(microseconds=1)


def moment_of(count: int) -> datetime:
    return LONG_AGO + timedelta(microseconds=count)


def key_of(queued_at: datetime, video_id: UUID) -> VideoKey:
    return microseconds(queued_at), video_id.int >> 64


def age_seconds() -> float | None:
    """None before the first snapshot."""
    age = QueueSnapshot.objects.filter(pk=ROW).annotate(age=AGE).values_list("age", flat=True).first()
    return None if age is None else max(0.0, age.total_seconds())


# ── Computing


def refresh_if_changed() -> None:
    """Safe to run in parallel. An unchanged queue costs one read, and a small write every few seconds."""
    _lately_read.clear()
    facts = read_facts()
    written = facts.written
    if written is None or written.fingerprint != facts.fingerprint:
        _compute(facts)
    elif written.age.total_seconds() > RENEW_SECONDS or written.slots != facts.slots:
        mine = QueueSnapshot.objects.filter(pk=ROW, version=written.version)
        mine.update(computed_at=from_now(), **_slot_columns(facts.slots))


def refresh(*, by_sweep: bool = False) -> bool:
    """Compute it now. False when another process does."""
    _lately_read.clear()
    facts = read_facts()
    return _compute(replace(facts, fingerprint=BY_SWEEP) if by_sweep else facts)


def is_stale() -> bool:
    age = age_seconds()
    return age is None or age > MAX_AGE_SECONDS


def is_by_sweep() -> bool:
    return QueueSnapshot.objects.filter(pk=ROW, fingerprint=BY_SWEEP).exists()


def _slot_columns(slots: Slots) -> dict[str, Any]:
    return {"is_shut": slots.is_shut, "usable_slots": slots.usable, "free_slots": slots.free}


@transaction.atomic
def _compute(facts: Facts) -> bool:
    if facts.written is None:
        QueueSnapshot.objects.get_or_create(pk=ROW, defaults={"computed_at": LONG_AGO})
    locked = QueueSnapshot.objects.select_for_update(skip_locked=True).filter(pk=ROW)
    # The time before the rows are read: a long computation must not make the snapshot look younger.
    moment = locked.values_list(Now(), flat=True).first()
    if moment is None:
        return False
    order = queue_order.EMPTY if facts.is_idle else _read_order(database_clock.now())
    QueueSnapshot.objects.filter(pk=ROW).update(
        version=secrets.randbits(62) + 1,
        computed_at=moment,
        fingerprint=facts.fingerprint,
        newest_queued_at=moment_of(order.newest[0]),
        payload=order.packed(),
        **_slot_columns(facts.slots),
    )
    return True


@dataclass(slots=True)
class _Account:
    account_id: UUID
    waiting: list[VideoKey]
    flying_since: list[int]
    """Microseconds of `queued_at` of those in flight."""


def _read_order(now: datetime) -> QueueOrder:
    # The earliest of the reads: what a plan permits is read for all accounts, or an account gets the lowest plan.
    since = seconds_from_now(-RECENT_SECONDS)
    limits = credits.plan_limits_of(Video.objects.counted_accounts(now, since))
    accounts, rendered = _read_accounts(now), Video.objects.rendered_since(since)
    idle = [account_id for account_id in rendered if account_id.int not in accounts]
    accounts |= {account_id.int: _Account(account_id, [], []) for account_id in idle}
    lowest = credits.limits_of_plan(None)
    return queue_order.order_of(
        (_queue(each, limits.get(each.account_id, lowest), rendered, microseconds(now)), each.waiting)
        for each in accounts.values()
    )


def _read_accounts(now: datetime) -> dict[int, _Account]:
    """By the integers of their ids: a UUID is hashed and compared much slower."""
    accounts: dict[int, _Account] = {}
    for account_id, status, moment, video_id in Video.objects.queue_rows(now):
        account = accounts.get(account_id.int)
        if account is None:
            account = accounts[account_id.int] = _Account(account_id, [], [])
        if status == Status.QUEUED:
            account.waiting.append((moment, video_id.int >> 64))
        else:
            account.flying_since.append(moment)
    for account in accounts.values():
        account.waiting.sort()
    return accounts


def _queue(account: _Account, plan: credits.PlanLimits, rendered: Mapping[UUID, int], now: int) -> AccountQueue:
    oldest = [moment for moment, _ in account.waiting[:1]]
    return AccountQueue(
        account.account_id,
        plan.weight,
        plan.max_in_flight,
        in_flight=len(account.flying_since),
        waiting=len(account.waiting),
        head=min(oldest + account.flying_since, default=now),
        rendered=rendered.get(account.account_id, 0),
    )
