"""Many videos at once."""

from datetime import datetime
from uuid import UUID

from django.db.models import Case, Count, F, Min, OuterRef, Q, Subquery, Sum, When
from django.db.models.functions import Coalesce

from avatars.querysets import released_to
from genvid.leasing import LeasedQuerySet, from_now
from videos.enums import IN_FLIGHT, PROCESSING, Status

GOING = {"since": "submitted_at", "expected": "expected_render_seconds", "floor": "progress_floor"}
"""What the progress of a video that is being made follows from."""


def _not_stuck(now: datetime) -> Q:
    return Q(stuck_at=None) | Q(stuck_at__gt=now)


def _cast_is_released() -> Q:
    return released_to(F("account"), "avatar__") & released_to(F("account"), "voice__")


class VideoQuerySet(LeasedQuerySet):
    def of_account(self, account_id: UUID) -> "VideoQuerySet":
        """What clients of an account may see: its videos, without the deleted."""
        return self.filter(account=account_id, deleted_at=None)

    def live(self) -> "VideoQuerySet":
        """Those that HeyGen makes, and somebody pays for."""
        return self.filter(is_test=False)

    def test(self) -> "VideoQuerySet":
        """Those of test keys: the sandbox makes them beside the line, for nothing."""
        return self.filter(is_test=True)

    def for_enqueueing(self) -> "VideoQuerySet":
        """With the columns alone of which a job and its request context are made."""
        return self.only("request_id", "account_id", "created_by_id", "api_key_id")

    def in_flight(self) -> "VideoQuerySet":
        """Those that occupy a renderer's slot."""
        return self.filter(status__in=IN_FLIGHT)

    def overdue(self) -> "VideoQuerySet":
        """Those whose present status has lasted longer than its deadline, the longest first."""
        return self.filter(deadline_at__lte=from_now()).order_by("deadline_at")

    def queued(self) -> "VideoQuerySet":
        return self.filter(status=Status.QUEUED)

    def orderable(self) -> "VideoQuerySet":
        """Those that wait for a slot. What was set aside for staff stands in nobody's way."""
        return self.queued().filter(set_aside_at=None)

    def in_own_slots(self, now: datetime) -> "VideoQuerySet":
        """Those that count against their account's own slots. A render that is stuck no longer does."""
        return self.in_flight().filter(_not_stuck(now))

    def cast_released(self) -> "VideoQuerySet":
        """Those whose avatar and voice an order of their account may use."""
        return self.filter(_cast_is_released())

    def cast_withheld(self) -> "VideoQuerySet":
        """Those whose avatar or voice is not released to their account."""
        return self.filter(~_cast_is_released())

    def unpurged(self) -> "VideoQuerySet":
        """Those that something is left of, here or where they were rendered. A render may become known late."""
        return self.filter(Q(purged_at=None) | Q(provider_video_id__isnull=False, provider_deleted_at=None))

    def lines(self, now: datetime) -> "VideoQuerySet":
        """Each account that has videos waiting: account_id, in_flight, waiting, and when the oldest of these came."""
        waits, flies = Q(status=Status.QUEUED, set_aside_at=None), Q(_not_stuck(now), status__in=IN_FLIGHT)
        counts = self.live().filter(waits | flies).order_by().values("account_id")
        standing: VideoQuerySet = counts.annotate(
            in_flight=Count("id", filter=flies), waiting=Count("id", filter=waits), head=Min("queued_at")
        ).filter(waiting__gt=0)
        return standing

    def rendered_since(self, moment: datetime) -> dict[UUID, int]:
        """Each account's videos that were rendered since then."""
        counts = self.live().filter(rendered_at__gt=moment).order_by().values("account_id").annotate(count=Count("id"))
        return dict(counts.values_list("account_id", "count"))

    def queued_before_in_account(self, ids: list[UUID]) -> dict[UUID, int]:
        """For each of `ids` that waits: how many of its own account wait before it. One query."""
        queue = self.model._default_manager.live().orderable().filter(account=OuterRef("account"))
        earlier = Q(queued_at__lt=OuterRef("queued_at")) | Q(queued_at=OuterRef("queued_at"), id__lt=OuterRef("id"))
        ahead = queue.filter(earlier).order_by().values("status").annotate(count=Count("id")).values("count")
        waiting = self.live().orderable().filter(pk__in=ids).annotate(earlier=Coalesce(Subquery(ahead), 0))
        return dict(waiting.values_list("pk", "earlier"))

    def tallies(self, batch_ids: list[UUID]) -> "VideoQuerySet":
        """Each batch and status: count, credits held and charged, and the progress that was reached before.

        What is being made falls into groups of its own, by what its progress follows from: one query sees all of it
        at one moment, and no video twice or not at all because it moves on between two.
        """
        going = Q(status__in=PROCESSING)
        keys = {name: Case(When(going, then=F(field))) for name, field in GOING.items()}
        groups = self.filter(batch__in=batch_ids).order_by().annotate(**keys).values("batch_id", "status", *keys)
        tallies: VideoQuerySet = groups.annotate(
            count=Count("id"),
            held=Sum("credits_held"),
            charged=Sum("credits_charged"),
            reached=Sum("progress_floor"),
        )
        return tallies
