"""Querysets of videos."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Case, Count, F, Func, Min, Q, QuerySet, Sum, When

from avatars.querysets import released_to
from genvid.leasing import LeasedQuerySet, from_now
from videos.enums import IN_FLIGHT, PROCESSING, Status

GOING = {"since": "submitted_at", "expected": "expected_render_seconds", "floor": "progress_floor"}

# What the statuses imply, and the database enforces. Indexes have these as their conditions, not the status: an update
# that changes no column of any index is cheap on PostgreSQL ("heap-only").
IN_QUEUE = Q(queued_at__isnull=False, submitted_at=None, completed_at=None)
BEING_MADE = Q(submitted_at__isnull=False, completed_at=None)
OPEN_ALARM = Q(acknowledged_at=None) | Q(last_at__gt=F("acknowledged_at"))


def in_statuses(statuses: Collection[str]) -> Q:
    """Found by index for those that wait; `status__in` alone reads all videos."""
    made, others = PROCESSING & set(statuses), set(statuses) - PROCESSING - {Status.QUEUED}
    found = Q(status__in=sorted(others))
    if made:
        found |= BEING_MADE & Q(status__in=sorted(made))
    if Status.QUEUED in statuses:
        found |= IN_QUEUE & Q(status=Status.QUEUED)
    return found


def _not_stuck(now: datetime) -> Q:
    return Q(stuck_at=None) | Q(stuck_at__gt=now)


def _waits() -> Q:
    return in_statuses({Status.QUEUED}) & Q(set_aside_at=None)


def _flies(now: datetime) -> Q:
    return in_statuses(IN_FLIGHT) & _not_stuck(now)


class Microseconds(Func):
    """A moment as an integer, which is read much faster than a datetime."""

    output_field = BigIntegerField()
    template = "(EXTRACT(EPOCH FROM %(expressions)s) * 1000000)::bigint"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # A moment is text there, with six digits of the second unless they are all zero; STRFTIME would round them.
        template = (
            "(CAST(STRFTIME('%%%%s', SUBSTR(%(expressions)s, 1, 19)) AS INTEGER) * 1000000"
            " + CAST(SUBSTR(SUBSTR(%(expressions)s, 21, 6) || '000000', 1, 6) AS INTEGER))"
        )
        return self.as_sql(compiler, connection, template=template, **context)


def _cast_is_released() -> Q:
    avatar = Q(avatar=None) | released_to(F("account"), "avatar__")
    voice = Q(voice=None) | released_to(F("account"), "voice__")
    return avatar & voice


class VideoQuerySet(LeasedQuerySet):
    def of_account(self, account_id: UUID) -> "VideoQuerySet":
        return self.filter(account=account_id, deleted_at=None)

    def live(self) -> "VideoQuerySet":
        """Videos that HeyGen makes and that are paid for."""
        return self.filter(is_test=False)

    def test(self) -> "VideoQuerySet":
        """Videos of test keys: free, made by the sandbox, outside the queue."""
        return self.filter(is_test=True)

    def for_enqueueing(self) -> "VideoQuerySet":
        return self.only("request_id", "account_id", "created_by_id", "api_key_id")

    def in_flight(self) -> "VideoQuerySet":
        return self.filter(in_statuses(IN_FLIGHT))

    def overdue(self) -> "VideoQuerySet":
        return self.filter(deadline_at__lte=from_now()).order_by("deadline_at")

    def queued(self) -> "VideoQuerySet":
        return self.filter(in_statuses({Status.QUEUED}))

    def rendering(self) -> "VideoQuerySet":
        return self.filter(in_statuses({Status.RENDERING}))

    def orderable(self) -> "VideoQuerySet":
        return self.queued().filter(set_aside_at=None)

    def in_own_slots(self, now: datetime) -> "VideoQuerySet":
        return self.in_flight().filter(_not_stuck(now))

    def cast_released(self) -> "VideoQuerySet":
        return self.filter(_cast_is_released())

    def cast_withheld(self) -> "VideoQuerySet":
        return self.filter(~_cast_is_released())

    def unpurged(self) -> "VideoQuerySet":
        """Deleted videos of which something is left here or at HeyGen. A render may become known late."""
        return self.filter(Q(purged_at=None) | Q(provider_video_id__isnull=False, provider_deleted_at=None))

    def account_queue_rows(self, now: datetime) -> "VideoQuerySet":
        """Per account with waiting videos; `head` in microseconds."""
        waits, flies = _waits(), _flies(now)
        counts = self.live().filter(waits | flies).order_by().values("account_id")
        waiting: VideoQuerySet = counts.annotate(
            in_flight=Count("id", filter=flies), waiting=Count("id", filter=waits), head=Microseconds(Min("queued_at"))
        ).filter(waiting__gt=0)
        return waiting

    def queue_rows(self, now: datetime) -> QuerySet[Any, Any]:
        """Account, status, microseconds of `queued_at`, and id of every video that waits or takes an own slot."""
        found = self.live().filter(_waits() | _flies(now)).order_by()
        return found.values_list("account_id", "status", Microseconds("queued_at"), "id")

    def queueing_accounts(self, now: datetime) -> QuerySet[Any, Any]:
        """Ids of accounts with videos that wait or take an own slot, some several times."""
        return self.live().filter(_waits() | _flies(now)).order_by().values("account_id")

    def counted_accounts(self, now: datetime, since: datetime) -> QuerySet[Any, Any]:
        """As `queueing_accounts`, and of accounts with renders since then. Each part has an index of its own."""
        rendered = self.live().filter(rendered_at__gt=since).order_by().values("account_id")
        return self.queueing_accounts(now).union(rendered, all=True)

    def rendered_since(self, moment: datetime) -> dict[UUID, int]:
        counts = self.live().filter(rendered_at__gt=moment).order_by().values("account_id").annotate(count=Count("id"))
        return dict(counts.values_list("account_id", "count"))

    def queued_after(self, moment: datetime, account_ids: Iterable[UUID]) -> QuerySet[Any, Any]:
        newer = self.live().orderable().filter(account__in=account_ids, queued_at__gt=moment)
        return newer.order_by().values_list("account_id", "queued_at", "id")

    def tallies(self, batch_ids: list[UUID]) -> "VideoQuerySet":
        """Per batch and status. One query, so that no video is counted twice or missed because it moves in between."""
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


class OperatorAlarmQuerySet(QuerySet[Any, Any]):
    def unacknowledged(self) -> "OperatorAlarmQuerySet":
        """Those that nobody has taken on since they last happened."""
        return self.filter(OPEN_ALARM)

    def acknowledged(self) -> "OperatorAlarmQuerySet":
        return self.exclude(OPEN_ALARM)
