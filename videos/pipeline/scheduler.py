"""Hands out HeyGen's render slots fairly across accounts, in the order of `videos.queue.fairness`."""

import uuid
from collections.abc import Iterator
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, When
from django.utils import timezone

from accounts.enums import EventType
from genvid import request_context
from genvid.jobs import enqueue, enqueue_on_commit
from genvid.leasing import from_now
from videos import jobs, video_events
from videos.enums import Status
from videos.models import Video
from videos.provider import provider_gate
from videos.provider.gate_decisions import Gate
from videos.queue import fairness, queue_positions

MAX_CLAIMS = 100


def hand_out_all_slots() -> None:
    hand_out_slots()
    hand_out_test_slots()


def hand_out_slots() -> int:
    """Claim queued videos for the free slots. Returns how many. Safe to run in parallel."""
    # Read before locking: most runs find nothing, and must not write.
    if settings.HEYGEN_API_KEY == "" or not Video.objects.live().orderable().exists():
        return 0
    if not provider_gate.half_open():
        return 0
    with transaction.atomic():
        gate = provider_gate.lock()
        if gate is None:
            return 0
        slots = min(provider_gate.allowance(gate, timezone.now()), MAX_CLAIMS)
        videos = _lock_probes(gate, slots) if gate.needs_staff else _lock_next(slots)
        claimed = sum(_claim(video) for video in videos)
    if claimed == MAX_CLAIMS:
        enqueue(jobs.DISPATCH)
    return claimed


def hand_out_test_slots() -> int:
    if settings.TEST_RENDERER_URL == "" or not Video.objects.test().queued().exists():
        return 0
    with transaction.atomic():
        if provider_gate.lock(provider_gate.TEST) is None:
            return 0
        free = settings.TEST_MAX_CONCURRENT - Video.objects.test().in_flight().count()
        waiting = Video.objects.test().queued().cast_released().order_by("queued_at", "id")
        waiting = waiting.select_for_update(skip_locked=True, of=("self",))
        return sum(_claim(video) for video in waiting[: max(0, free)])


def _lock_next(slots: int) -> Iterator[Video]:
    queues = queue_positions.account_queues() if slots else []
    while shares := fairness.allot_slots(queues, slots):
        locked = {account_id: _lock_oldest(account_id, count) for account_id, count in shares.items()}
        for videos in locked.values():
            yield from videos
        slots -= sum(map(len, locked.values()))
        # Slots that an account cannot use, as its videos are locked, go to the next account.
        queues = [queue.after(len(locked.get(queue.account_id, ())), shares[queue.account_id]) for queue in queues]


def _lock_probes(gate: Gate, slots: int) -> Iterator[Video]:
    """Lock the orders that probe a gate: first of other accounts than tripped it, then those that never did."""
    accounts = [queue.account_id for queue in queue_positions.account_queues() if queue.claimable] if slots else []
    orderable = Video.objects.live().orderable().cast_released().filter(account__in=accounts)
    waiting = orderable.select_for_update(skip_locked=True, of=("self",))
    was_last = Case(When(account=gate.tripped_by_id, then=1), default=0)
    yield from waiting.order_by(was_last, F("gate_tripped_at").asc(nulls_first=True), "queued_at", "id")[:slots]


def _lock_oldest(account_id: UUID, count: int) -> list[Video]:
    free = Video.objects.live().orderable().cast_released().select_for_update(skip_locked=True, of=("self",))
    return list(free.filter(account=account_id).order_by("queued_at", "id")[:count])


@request_context.under_request_of_row
def _claim(video: Video) -> bool:
    """Store the order's idempotency key before it can be sent, so that every retry carries the same one."""
    claimed = video.move(
        Status.SUBMITTING,
        reason="slot",
        attempt=video.attempt + 1,
        idempotency_key=f"{video.pk}.{video.attempt + 1}.{uuid.uuid4().hex[:12]}",
        calls=0,
        submitted_at=timezone.now(),
        due_at=from_now(),
        deadline_at=from_now(settings.VIDEO_SUBMIT_DEADLINE),
    )
    if claimed:
        video_events.publish_video_event(video, EventType.VIDEO_PROCESSING)
        enqueue_on_commit(jobs.SUBMIT, str(video.pk))
    return claimed
