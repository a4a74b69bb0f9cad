"""Due rows: leased by one worker, retried with growing pauses, enqueued again by a sweep.

A model derives from `Leased`, its manager from `LeasedQuerySet`. One column says when the row is due; during a lease it
is the end of the lease. Each step is one UPDATE filtered by the values that the worker has read: no changed row means a
lost lease. All moments are the database's, so that a worker's wrong clock has no effect.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import F
from django.db.models.expressions import CombinedExpression, ExpressionWrapper
from django.db.models.functions import Now

from genvid.jobs import Job, backlog, enqueue
from genvid.request_context import NO_REQUEST

Span = timedelta | float


def from_now(span: Span = 0.0) -> CombinedExpression:
    """By the database's clock; a negative span is in the past."""
    # A bare Now() is stored by SQLite with three digits of the second, and equals no moment that Django passes in.
    return Now() + (span if isinstance(span, timedelta) else timedelta(seconds=span))


def jittered(seconds: float, share: float) -> timedelta:
    """Longer by a random part of `share`, so that rows that fail together are not retried together."""
    return timedelta(seconds=seconds * random.uniform(1, 1 + share))


@dataclass(frozen=True)
class Backoff:
    """Pauses between attempts, in seconds: each `factor` times as long as the one before, `most` at most."""

    first: float
    most: float
    factor: float = 2.0
    jitter: float = 0.0

    def delay(self, attempt: int, *, at_least: float = 0.0) -> timedelta:
        # Without a bound on the exponent a row that has failed a thousand times would overflow.
        pause = min(self.most, self.first * self.factor ** min(attempt - 1, 60))
        return jittered(max(pause, at_least), self.jitter)


class LeasedQuerySet(models.QuerySet[Any]):
    def due(self) -> Self:
        name = self.model.DUE
        return self.filter(**{f"{name}__lte": from_now()}).order_by(name)

    def claim(self, lease: Span, **changes: Any) -> Any | None:
        row = self.due().first()
        return row if row is not None and row.claim(lease, **changes) else None


class Leased(models.Model):
    """The steps of a leased row. A method returns False when the lease is lost."""

    DUE: ClassVar[str] = "due_at"
    """The column with the moment from which a worker may claim the row. Null: never."""
    ATTEMPTS: ClassVar[str] = "tries"
    COUNTS_CLAIMS: ClassVar[bool] = False
    """Whether ATTEMPTS counts claims; otherwise failed attempts."""
    ERROR: ClassVar[str] = "waiting_reason"
    HELD_BY: ClassVar[tuple[str, ...]] = ("due_at",)
    """Columns of which at least one changes when another worker claims the row."""

    class Meta:
        abstract = True

    def held(self) -> models.QuerySet[Any]:
        return self._as_read(self.HELD_BY)

    def claim(self, lease: Span, **changes: Any) -> bool:
        same = self._as_read(name for name in self.HELD_BY if name != self.DUE)
        due = same.filter(**{f"{self.DUE}__lte": from_now()})
        return self._write(due, self._counted(begun=True) | {self.DUE: from_now(lease)} | changes)

    def extend(self, lease: Span, **changes: Any) -> bool:
        return self._write(self.held(), {self.DUE: from_now(lease)} | changes)

    def retry_later(self, pause: Span, error: str, **changes: Any) -> bool:
        counted = self._counted(begun=False)
        return self._write(self.held(), counted | {self.DUE: from_now(pause)} | self._noted(error) | changes)

    def advance(self, due: datetime | CombinedExpression, **changes: Any) -> bool:
        """Record a finished step; attempts start again at 0."""
        return self._write(self.held(), {self.DUE: due, self.ATTEMPTS: 0} | self._noted("") | changes)

    def finish(self, **changes: Any) -> bool:
        return self.give_up("", **changes)

    def give_up(self, error: str, **changes: Any) -> bool:
        return self._write(self.held(), {self.DUE: None} | self._noted(error) | changes)

    def seconds_until(self, column: str) -> float | None:
        left = ExpressionWrapper(F(column) - Now(), models.DurationField())
        span: timedelta | None = self._as_read(()).values_list(left, flat=True).get()
        return None if span is None else span.total_seconds()

    def show(self, changes: Mapping[str, Any]) -> None:
        """Copy what was written to the row into the attributes.

        Values computed by the database are read: at once where they identify the row, otherwise on access.
        """
        for name, value in changes.items():
            if hasattr(value, "resolve_expression"):
                # Django fetches a missing field on access.
                self.__dict__.pop(name, None)
            else:
                setattr(self, name, value)
        for name in self.HELD_BY:
            getattr(self, name)

    def _as_read(self, names: Iterable[str]) -> models.QuerySet[Any]:
        same = {name: getattr(self, name) for name in names}
        return type(self)._base_manager.using(self._state.db).filter(pk=self.pk, **same)

    def _write(self, rows: models.QuerySet[Any], changes: Mapping[str, Any]) -> bool:
        # In one transaction: in between, another worker could claim the row, and its lease be read as ours.
        with transaction.atomic(using=self._state.db, savepoint=False):
            if rows.update(**changes) != 1:
                return False
            self.show(changes)
        return True

    def _counted(self, *, begun: bool) -> dict[str, Any]:
        return {self.ATTEMPTS: F(self.ATTEMPTS) + 1} if begun == self.COUNTS_CLAIMS else {}

    def _noted(self, error: str) -> dict[str, str]:
        return {self.ERROR: error[: getattr(self._meta.get_field(self.ERROR), "max_length", None)]}


def sweep(due: models.QuerySet[Any], job: Job, *, most: int, per_message: int = 1) -> int:
    """Enqueue `job` for the first rows of `due`, whose messages were lost or workers died. Returns how many.

    `most` limits these rows together with the backlog of the job's queue, which must not grow. `per_message`: rows that
    share a message; alone in it, a row with a `request_context` is enqueued under it. `for_enqueueing()` of its
    queryset loads the columns for that.
    """
    for_enqueueing = getattr(due, "for_enqueueing", lambda: due.only("pk"))
    rows = list(for_enqueueing()[: max(0, most - backlog(job) * per_message)])
    enqueue_rows(job, rows, per_message=per_message)
    return len(rows)


def enqueue_rows(job: Job, rows: Sequence[Any], *, per_message: int, send: Callable[..., None] = enqueue) -> None:
    """A message for every `per_message` rows. One of several rows belongs to no request."""
    for first in range(0, len(rows), per_message):
        each = rows[first : first + per_message]
        context = getattr(each[0], "request_context", None) if len(each) == 1 else NO_REQUEST
        send(job, *(str(row.pk) for row in each), context=context)
