"""Rows that are due: claimed by one worker for a while, tried again after growing pauses, found by a sweep.

A model derives from `Leased`, its manager from `LeasedQuerySet`. One column says when the row is due next; while a
worker has the row, that moment is the end of its lease. Each step is one UPDATE that is filtered by what the worker has
read: whoever changes no row has lost the lease, and does nothing further. All moments are the database's, so that a
worker whose clock is wrong changes nothing.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import F
from django.db.models.expressions import CombinedExpression, ExpressionWrapper
from django.db.models.functions import Now

from genvid.jobs import Job, backlog, enqueue

Span = timedelta | float
"""A float is seconds."""


def from_now(span: Span = 0.0) -> CombinedExpression:
    """The moment so far from now, by the database's clock; a negative span is past."""
    # A bare Now() is stored by SQLite with three digits of the second, and equals no moment that Django passes in.
    return Now() + (span if isinstance(span, timedelta) else timedelta(seconds=span))


def jittered(seconds: float, share: float) -> timedelta:
    """Longer by up to `share` of it, at random, never shorter: what is due together does not come back together."""
    return timedelta(seconds=seconds * random.uniform(1, 1 + share))


@dataclass(frozen=True)
class Backoff:
    """Pauses between attempts, in seconds: each `factor` times as long as the one before, `most` at most."""

    first: float
    most: float
    factor: float = 2.0
    jitter: float = 0.0
    """The share by which a pause may be longer, at random."""

    def delay(self, attempt: int, *, at_least: float = 0.0) -> timedelta:
        """The pause after the failed attempt number `attempt`, counted from 1."""
        # Without a bound on the exponent a row that has failed a thousand times would overflow.
        pause = min(self.most, self.first * self.factor ** min(attempt - 1, 60))
        return jittered(max(pause, at_least), self.jitter)


class LeasedQuerySet(models.QuerySet[Any]):
    def due(self) -> Self:
        """Those that somebody must act on now, the longest due first; none that a worker has leased."""
        name = self.model.DUE
        return self.filter(**{f"{name}__lte": from_now()}).order_by(name)

    def claim(self, lease: Span, **changes: Any) -> Any | None:
        """The row of these that is due the longest, leased; None when none is due, or another worker was first."""
        row = self.due().first()
        return row if row is not None and row.claim(lease, **changes) else None


class Leased(models.Model):
    """What a worker does with a row that is due. A method returns False when the row is not the worker's any more."""

    DUE: ClassVar[str] = "due_at"
    """The column with the moment from which a worker may claim the row. Null: never."""
    ATTEMPTS: ClassVar[str] = "tries"
    COUNTS_CLAIMS: ClassVar[bool] = False
    """ATTEMPTS counts what was begun; otherwise what came to nothing."""
    ERROR: ClassVar[str] = "waiting_reason"
    HELD_BY: ClassVar[tuple[str, ...]] = ("due_at",)
    """Columns of which one at least changes when somebody else takes the row."""

    class Meta:
        abstract = True

    def held(self) -> models.QuerySet[Any]:
        """This row, as long as nobody else has taken it since it was read or claimed."""
        return self._as_read(self.HELD_BY)

    def claim(self, lease: Span, **changes: Any) -> bool:
        """Take the row until the lease ends, if it is due."""
        same = self._as_read(name for name in self.HELD_BY if name != self.DUE)
        due = same.filter(**{f"{self.DUE}__lte": from_now()})
        return self._write(due, self._counted(begun=True) | {self.DUE: from_now(lease)} | changes)

    def extend(self, lease: Span, **changes: Any) -> bool:
        """Keep the row for so long from now on."""
        return self._write(self.held(), {self.DUE: from_now(lease)} | changes)

    def retry_later(self, pause: Span, error: str, **changes: Any) -> bool:
        """Give the row back after an attempt that came to nothing."""
        counted = self._counted(begun=False)
        return self._write(self.held(), counted | {self.DUE: from_now(pause)} | self._noted(error) | changes)

    def advance(self, due: datetime | CombinedExpression, **changes: Any) -> bool:
        """Record a step that is done; the next one is due at `due`, with attempts of its own."""
        return self._write(self.held(), {self.DUE: due, self.ATTEMPTS: 0} | self._noted("") | changes)

    def finish(self, **changes: Any) -> bool:
        """Record that all is done."""
        return self.give_up("", **changes)

    def give_up(self, error: str, **changes: Any) -> bool:
        """Record that nothing more will be tried."""
        return self._write(self.held(), {self.DUE: None} | self._noted(error) | changes)

    def seconds_until(self, column: str) -> float | None:
        """How far off a moment of this row is by the database's clock, below zero when it is past; None without one."""
        left = ExpressionWrapper(F(column) - Now(), models.DurationField())
        span: timedelta | None = self._as_read(()).values_list(left, flat=True).get()
        return None if span is None else span.total_seconds()

    def show(self, changes: Mapping[str, Any]) -> None:
        """Have the attributes say what was just written to the row.

        What the database worked out is read: at once where it identifies the row, otherwise when somebody asks for it.
        """
        for name, value in changes.items():
            if hasattr(value, "resolve_expression"):
                # Django fetches a field that is not there.
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


def sweep(due: models.QuerySet[Any], job: Job, *, most: int) -> int:
    """Enqueue `job` for the first rows of `due`: their messages were lost, or their workers died. Returns how many.

    `most`: of these rows and of what waits in the job's queue. What waits there is not lost, and must not grow. A row
    that has a `request_context` is enqueued under it; `for_enqueueing()` of its queryset loads the columns for that.
    """
    for_enqueueing = getattr(due, "for_enqueueing", lambda: due.only("pk"))
    rows = list(for_enqueueing()[: max(0, most - backlog(job))])
    for row in rows:
        enqueue(job, str(row.pk), context=getattr(row, "request_context", None))
    return len(rows)
