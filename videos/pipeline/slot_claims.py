"""Claims of queued videos: many at once, each with its idempotency key and its row of history. For the scheduler."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import CharField, F, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Concat

from accounts.enums import EventType
from accounts.webhooks import outgoing_events
from genvid import database_clock, request_context
from genvid.jobs import enqueue_on_commit
from genvid.leasing import enqueue_rows, from_now
from genvid.statements import update_returning
from videos import jobs, video_events
from videos.enums import Status
from videos.models import Video, VideoEvent
from videos.querysets import VideoQuerySet

REASON = "slot"
COLUMNS = ("id", "request_id", "account_id", "created_by_id", "api_key_id", "attempt", "moved_at")
# A lateral join, so that each account's oldest videos are read from its own part of the index; materialized, as a
# subquery that is run again would lock further rows.
OLDEST = """picked AS MATERIALIZED (
    SELECT oldest.* FROM unnest(%s::uuid[], %s::int[]) AS share (account_id, slots)
    CROSS JOIN LATERAL ({oldest} LIMIT share.slots FOR UPDATE OF videos_video SKIP LOCKED) AS oldest)"""
BEFORE = "(SELECT picked.moved_at FROM picked WHERE picked.id = videos_video.id)"


def claim_oldest(shares: Mapping[UUID, int]) -> list[Video]:
    """Claim the oldest claimable videos of each account, as many as its share. Call inside a transaction.

    Passes over what another transaction has locked. Returns the claimed, with COLUMNS loaded.
    """
    if not connection.features.has_select_for_update_skip_locked:
        return claim([video for account_id, slots in shares.items() for video in _oldest_of(account_id, slots)])
    now = database_clock.now()
    oldest, parameters = _claimable().filter(account=RawSQL("share.account_id", ())).query.sql_with_params()
    picked = OLDEST.format(oldest=oldest), ([*shares], [*shares.values()], *parameters)
    rows = Video.objects.filter(pk__in=RawSQL("SELECT picked.id FROM picked", ()))
    claimed = update_returning(rows, _changes(now), read=COLUMNS, picked=picked, instead={"moved_at": BEFORE})
    return _record(claimed, now)


def claim(locked: Iterable[Video]) -> list[Video]:
    """Claim these queued videos, which the transaction of the caller has locked."""
    now, videos = database_clock.now(), list(locked)
    Video.objects.filter(pk__in=[video.pk for video in videos], status=Status.QUEUED).update(**_changes(now))
    for video in videos:
        video.attempt += 1
    return _record(videos, now)


def claimable_only(videos: VideoQuerySet) -> VideoQuerySet:
    """Locks rows where the engine can, and loads COLUMNS."""
    return videos.only(*COLUMNS).select_for_update(skip_locked=True, of=("self",))


def _oldest_of(account_id: UUID, slots: int) -> Iterable[Video]:
    return _claimable().filter(account=account_id)[:slots]


def _claimable() -> VideoQuerySet:
    return Video.objects.live().orderable().cast_released().order_by("queued_at", "id").only(*COLUMNS)


def _changes(now: datetime) -> dict[str, Any]:
    """The idempotency key is stored before the order can be sent, so that every retry carries the same one."""
    nth = F("attempt") + 1
    key = Concat(Cast("id", CharField()), Value("."), Cast(nth, CharField()), Value(f".{uuid.uuid4().hex[:12]}"))
    return {
        "status": Status.SUBMITTING,
        "attempt": nth,
        "idempotency_key": key,
        "calls": 0,
        "tries": 0,
        "waiting_reason": "",
        "due_at": from_now(),
        "deadline_at": from_now(settings.VIDEO_SUBMIT_DEADLINE),
        "submitted_at": now,
        "updated_at": now,
        "moved_at": now,
    }


def _record(claimed: list[Video], now: datetime) -> list[Video]:
    if claimed:
        move = {"from_status": Status.QUEUED, "to_status": Status.SUBMITTING, "reason": REASON}
        VideoEvent.objects.bulk_create([VideoEvent(video_id=video.pk, **move) for video in claimed])
        transaction.on_commit(partial(_log, claimed, now), robust=True)
        _publish(claimed)
        enqueue_rows(jobs.SUBMIT, claimed, per_message=jobs.ORDERS_PER_MESSAGE, send=enqueue_on_commit)
    return claimed


def _log(claimed: Iterable[Video], now: datetime) -> None:
    for video in claimed:
        waited = (now - video.moved_at).total_seconds()
        facts = {"error_code": "", "learned_by": ""}
        video.log_move(Status.QUEUED, Status.SUBMITTING, REASON, waited, attempt=video.attempt, **facts)


def _publish(claimed: Iterable[Video]) -> None:
    by_account = defaultdict(list)
    for video in claimed:
        by_account[video.account_id].append(video.pk)
    told = outgoing_events.subscribed_accounts(by_account, EventType.VIDEO_PROCESSING)
    for video in Video.objects.filter(pk__in=[pk for account_id in told for pk in by_account[account_id]]):
        _publish_one(video)


@request_context.under_request_of_row
def _publish_one(video: Video) -> None:
    video_events.publish_video_event(video, EventType.VIDEO_PROCESSING)
