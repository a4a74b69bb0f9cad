"""Pure decisions of HeyGen's gate: a state and an event give the next state. `provider_gate` explains the terms."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from genvid.leasing import Backoff

BUSY_SECONDS = 5.0
"""The gate stays shut for this long when a busy HeyGen sends no `Retry-After`."""
MAX_BUSY_SECONDS = 6 * 3600.0
MAX_PROBE_SECONDS = 600.0
PROBES = Backoff(15.0, most=MAX_PROBE_SECONDS)
"""How long no orders go out, a wallet being empty for example, until one probes: by the trips in a row."""
CHECK_SECONDS = 30.0
LIMIT_STEP_SECONDS = 30.0
"""A limit lowered by a 429 grows by one video in this time."""
PRESERVED = ("looked_at", "learned_limit", "learned_at", "paused_at", "paused_by")


@dataclass(frozen=True)
class Trouble:
    """An answer of HeyGen that trips the gate: a problem of our account that needs staff, or too much load.

    `seconds`: HeyGen's `Retry-After`. `was_taken`: HeyGen accepted the order and failed it later. `ordered_at` and
    `account_id`: of the order that got the answer; None where it was no order.
    """

    code: str
    message: str
    needs_staff: bool
    seconds: float | None = None
    was_taken: bool = False
    ordered_at: datetime | None = None
    account_id: UUID | None = None


@dataclass(frozen=True)
class Gate:
    max_in_flight: int
    changed_at: datetime
    closed_until: datetime | None = None
    code: str = ""
    message: str = ""
    needs_staff: bool = False
    needs_staff_since: datetime | None = None
    until_rendered: bool = False
    closings: int = 0
    tripped_by_id: UUID | None = None
    looked_at: datetime | None = None
    balance_seen: Decimal | None = None
    learned_limit: int | None = None
    learned_at: datetime | None = None
    paused_at: datetime | None = None
    paused_by: str = ""

    def waits(self, now: datetime) -> bool:
        return self.closed_until is not None and self.closed_until > now

    def is_shut(self, now: datetime) -> bool:
        return self.paused_at is not None or self.waits(now)

    def is_half_open(self, now: datetime) -> bool:
        return self.needs_staff and not self.is_shut(now)

    def limit(self, now: datetime) -> int:
        if self.learned_limit is None or self.learned_at is None:
            return self.max_in_flight
        grown = self.learned_limit + int((now - self.learned_at).total_seconds() / LIMIT_STEP_SECONDS)
        return min(self.max_in_flight, max(1, grown))

    def allowance(self, now: datetime, *, in_flight: int, probes: int) -> int:
        """Slots that may be handed out. `probes`: orders in flight that were sent since the gate was tripped."""
        free = 0 if self.is_shut(now) else self.limit(now) - in_flight
        return max(0, min(free, 1 - probes) if self.needs_staff else free)

    def is_known(self, trouble: Trouble, now: datetime) -> bool:
        """Whether it tripped the gate already: all orders sent before an empty wallet was noticed are one trouble."""
        was_out = trouble.ordered_at is not None and trouble.ordered_at < self.changed_at
        return self.needs_staff and (self.waits(now) or was_out)

    def tripped(self, trouble: Trouble, now: datetime, *, rendering: int) -> "Gate":
        if not trouble.needs_staff:
            return self._tripped_by_load(trouble, now)._with_learned_limit(trouble, now, rendering)
        gate = replace(self, until_rendered=self.until_rendered or trouble.was_taken)
        return gate if self.is_known(trouble, now) else gate._tripped_for_staff(trouble, now)

    def _tripped_by_load(self, trouble: Trouble, now: datetime) -> "Gate":
        until = now + timedelta(seconds=min(trouble.seconds or BUSY_SECONDS, MAX_BUSY_SECONDS))
        gate = self if self.needs_staff else self._with_cause(trouble, now)
        return replace(gate, closed_until=max(until, self.closed_until or until))

    def _tripped_for_staff(self, trouble: Trouble, now: datetime) -> "Gate":
        until, since = now + PROBES.delay(self.closings + 1), self.needs_staff_since or now
        gate = replace(self._with_cause(trouble, now), closings=self.closings + 1, tripped_by_id=trouble.account_id)
        return replace(gate, closed_until=until, needs_staff=True, needs_staff_since=since)

    def _with_cause(self, trouble: Trouble, now: datetime) -> "Gate":
        return replace(self, code=trouble.code[:60], message=trouble.message[:500], changed_at=now)

    def _with_learned_limit(self, trouble: Trouble, now: datetime, rendering: int) -> "Gate":
        """Lower the limit to the number HeyGen accepted, for an order that HeyGen refused beside `rendering` others.

        At least half of the present limit, as a 429 may be about requests per minute. Orders sent before the limit was
        lowered do not lower it further.
        """
        if trouble.ordered_at is None or trouble.was_taken:
            return self
        if self.learned_at is not None and trouble.ordered_at < self.learned_at:
            return self
        limit = self.limit(now)
        return replace(self, learned_limit=max(1, min(max(rendering, limit // 2), limit)), learned_at=now)

    def checking_balance(self, now: datetime) -> "Gate":
        """The state while a worker reads our balance, half-open gates shut; unchanged when no read is due."""
        if self.is_half_open(now):
            return replace(self, looked_at=now, closed_until=now + timedelta(seconds=CHECK_SECONDS))
        is_due = self.looked_at is None or now - self.looked_at >= timedelta(seconds=CHECK_SECONDS)
        return replace(self, looked_at=now) if self.needs_staff and self.paused_at is None and is_due else self

    def with_balance(self, balance: Decimal | None, now: datetime, *, is_early: bool) -> "Gate":
        """The state after a read of our balance; `balance` is None when HeyGen did not answer.

        Before the wait is over (`is_early`) only an increase opens the gate. After MAX_PROBE_SECONDS a probe goes out
        anyway: a wallet may be refilled only when an order is rejected.
        """
        if not self.needs_staff:
            return self
        seen, found = self.balance_seen, balance or Decimal(0)
        is_well = found > 0 and (not is_early or (seen is not None and found > seen))
        has_waited_long = not is_early and now - self.changed_at >= timedelta(seconds=MAX_PROBE_SECONDS)
        until = now if is_well or has_waited_long else self.closed_until
        return replace(self, closed_until=until, balance_seen=seen if balance is None else balance)

    def succeeded(self, ordered_at: datetime, now: datetime, *, is_rendered: bool) -> "Gate":
        """Reopened if the wait is over and the order was sent after the trip."""
        proves = ordered_at >= self.changed_at and (is_rendered or not self.until_rendered)
        return self.reopened(now) if proves and not self.waits(now) else self

    def reopened(self, now: datetime) -> "Gate":
        if self.code == "":
            return self
        return Gate(self.max_in_flight, now, **{name: getattr(self, name) for name in PRESERVED})

    def paused(self, by: str, now: datetime) -> "Gate":
        return self if self.paused_at else replace(self, paused_at=now, paused_by=by[:254])
