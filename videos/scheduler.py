"""Hands out HeyGen's render slots fairly across accounts, and knows every waiting video's place. Order: `fairness`."""

import uuid
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from billing import credits
from genvid.broker import enqueue_on_commit
from videos import fairness, provider, tasks
from videos.enums import Status
from videos.fairness import Line
from videos.models import ProviderState, Video, after


def hand_out_slots() -> int:
    """Claim queued videos for the free slots. Returns how many. Any number of workers may call it at once."""
    # Looking before locking: most ticks find nothing, and must not write.
    if settings.HEYGEN_API_KEY == "" or not Video.objects.queued().exists():
        return 0
    with transaction.atomic():
        state = provider.lock_state()
        if state is None or not provider.is_open(state, timezone.now()):
            return 0
        return sum(_claim(video) for video in _next(_free_slots(state)))


def lines() -> list[Line]:
    """Every account that has videos waiting. Three queries, whatever their number."""
    standing = {row.pop("account_id"): row for row in Video.objects.lines()}
    terms = credits.terms(standing)
    return [
        Line(account_id, terms[account_id].weight, terms[account_id].max_in_flight, **row)
        for account_id, row in standing.items()
    ]


def places(videos: Iterable[Video]) -> dict[UUID, int]:
    """The place in the queue of each of `videos` that waits there: 1 goes next. Four queries, however many."""
    waiting = {video.pk: video.account_id for video in videos if video.status == Status.QUEUED}
    if not waiting:
        return {}
    now_waiting = Video.objects.queued_before_in_account(list(waiting))
    standing = lines()
    known = {line.account_id for line in standing}
    return {
        pk: fairness.place(standing, waiting[pk], earlier)
        for pk, earlier in now_waiting.items()
        if waiting[pk] in known
    }


def place_of_next(account_id: UUID) -> int:
    """The place that a video queued now would get."""
    standing = {line.account_id: line for line in lines()}
    mine = standing.get(account_id)
    if mine is None:
        terms = credits.terms([account_id])[account_id]
        in_flight = Video.objects.in_flight().filter(account=account_id).count()
        mine = Line(account_id, terms.weight, terms.max_in_flight, in_flight, 0, timezone.now())
    waiting = mine.waiting
    standing[account_id] = Line(account_id, mine.weight, mine.limit, mine.in_flight, waiting + 1, mine.head)
    return fairness.place(standing.values(), account_id, waiting)


def _next(slots: int) -> list[Video]:
    """The videos that the next `slots` go to, locked; what somebody else has locked is passed over."""
    if slots == 0:
        return []
    chosen = [
        pk for account_id, count in fairness.allot(lines(), slots).items() for pk in _oldest_waiting(account_id, count)
    ]
    locked = Video.objects.queued().select_for_update(skip_locked=True, of=("self",))
    return list(locked.filter(pk__in=chosen).order_by("queued_at", "id"))


def _oldest_waiting(account_id: UUID, count: int) -> list[UUID]:
    line = Video.objects.queued().filter(account=account_id).order_by("queued_at", "id")
    return list(line.values_list("pk", flat=True)[:count])


def _free_slots(state: ProviderState) -> int:
    in_flight = Video.objects.in_flight()
    free = provider.limit(state, timezone.now()) - in_flight.count()
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
