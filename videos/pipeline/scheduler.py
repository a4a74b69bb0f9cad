"""Hands out HeyGen's render slots fairly across accounts, in the order of `videos.queue.fairness`."""

from collections import Counter

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, When

from genvid import database_clock
from videos.models import Video
from videos.pipeline.slot_claims import claim, claim_oldest, claimable_only
from videos.provider import provider_gate
from videos.provider.gate_decisions import Gate
from videos.queue import fairness, queue_positions


def hand_out_all_slots() -> None:
    hand_out_slots()
    hand_out_test_slots()


def hand_out_slots() -> int:
    """Claim queued videos for the free slots. Returns how many. Safe to run in parallel."""
    # Read before locking: most runs find nothing, and must not write.
    if settings.HEYGEN_API_KEY == "" or not Video.objects.live().orderable().exists():
        return 0
    claimed = _hand_out_of(probing=False)
    if claimed is None:
        claimed = _hand_out_of(probing=True) if provider_gate.half_open() else 0
    return claimed or 0


@transaction.atomic
def _hand_out_of(*, probing: bool) -> int | None:
    """None where the gate needs staff: its balance is read first, outside of the transaction."""
    gate, now = provider_gate.lock(), database_clock.now()
    if gate is None or (gate.is_shut(now) and not gate.needs_staff):
        return 0
    if gate.needs_staff and not probing:
        return None
    slots = provider_gate.allowance(gate, now)
    if slots == 0:
        return 0
    return _claim_probes(gate, slots) if gate.needs_staff else _claim_next(slots)


def hand_out_test_slots() -> int:
    if settings.TEST_RENDERER_URL == "" or not Video.objects.test().queued().exists():
        return 0
    with transaction.atomic():
        if provider_gate.lock(provider_gate.TEST) is None:
            return 0
        free = settings.TEST_MAX_CONCURRENT - Video.objects.test().in_flight().count()
        waiting = Video.objects.test().queued().cast_released().order_by("queued_at", "id")
        return len(claim(claimable_only(waiting)[: max(0, free)]))


def _claim_next(slots: int) -> int:
    total, queues = 0, queue_positions.account_queues()
    while shares := fairness.allot_slots(queues, slots - total):
        claimed = Counter(video.account_id for video in claim_oldest(shares))
        total += claimed.total()
        # Slots that an account cannot use, as its videos are locked, go to the next account.
        queues = [queue.after(claimed[queue.account_id], shares[queue.account_id]) for queue in queues]
    return total


def _claim_probes(gate: Gate, slots: int) -> int:
    """Claim the orders that probe a gate: first of other accounts than tripped it, then those that never did."""
    accounts = [queue.account_id for queue in queue_positions.account_queues() if queue.claimable]
    waiting = Video.objects.live().orderable().cast_released().filter(account__in=accounts)
    was_last = Case(When(account=gate.tripped_by_id, then=1), default=0)
    in_order = waiting.order_by(was_last, F("gate_tripped_at").asc(nulls_first=True), "queued_at", "id")
    return len(claim(claimable_only(in_order)[:slots]))
