"""Hands out HeyGen's render slots: oldest video first, never more than HEYGEN_MAX_CONCURRENT in flight."""

import uuid

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from genvid.broker import enqueue_on_commit
from videos import provider, tasks
from videos.enums import Status
from videos.models import ProviderState, Video, after


def hand_out_slots() -> int:
    """Claim queued videos for the free slots. Returns how many. Any number of workers may call it at once."""
    # Looking before locking: most ticks find nothing, and must not write.
    if settings.HEYGEN_API_KEY == "" or not Video.objects.in_queue_order().exists():
        return 0
    with transaction.atomic():
        state = provider.lock_state()
        if state is None or not provider.is_open(state, timezone.now()):
            return 0
        return sum(_claim(video) for video in Video.objects.in_queue_order()[: _free_slots(state)])


def _free_slots(state: ProviderState) -> int:
    in_flight = Video.objects.in_flight()
    free: int = settings.HEYGEN_MAX_CONCURRENT - in_flight.count()
    if provider.is_probing(state):
        probes = in_flight.filter(submitted_at__gte=state.changed_at)
        if not state.until_rendered:
            probes = probes.filter(status=Status.SUBMITTING)
        free = min(free, 1 - probes.count())
    return max(0, free)


def _claim(video: Video) -> bool:
    """Store the order's key before anybody can send it: every retry carries the same one."""
    claimed = video.move(
        Status.SUBMITTING,
        reason="slot",
        attempt=video.attempt + 1,
        idempotency_key=f"{video.pk}.{video.attempt + 1}.{uuid.uuid4().hex[:12]}",
        calls=0,
        submitted_at=timezone.now(),
        due_at=timezone.now(),
        deadline_at=after(settings.VIDEO_SUBMIT_DEADLINE),
    )
    if claimed:
        enqueue_on_commit(tasks.submit, str(video.pk))
    return claimed
