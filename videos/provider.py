"""HeyGen's gate: closed while it is busy or while staff must act, opened by the first order that it takes."""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from genvid.heygen.errors import HeyGenError, OperatorProblem
from videos.models import ProviderState

logger = structlog.get_logger(__name__)

NAME = "heygen"
BUSY_SECONDS = 5.0
PROBE_SECONDS = 15.0
"""How long the gate stays closed before one order probes it; doubled each time in a row, up to the maximum."""
MAX_PROBE_SECONDS = 600.0
MAX_BUSY_SECONDS = 6 * 3600.0
"""HeyGen's `Retry-After` is honoured up to here."""


def lock_state() -> ProviderState | None:
    """The state's row, locked for the scheduler; None when another scheduler is at work. Inside a transaction."""
    ProviderState.objects.get_or_create(name=NAME)
    return ProviderState.objects.select_for_update(skip_locked=True).filter(name=NAME).first()


def is_open(state: ProviderState, now: datetime) -> bool:
    return state.closed_until is None or state.closed_until <= now


def is_probing(state: ProviderState) -> bool:
    """The last word was bad: one order at a time until one is taken."""
    return state.needs_staff


def close_for(error: HeyGenError) -> None:
    """Stop handing out slots for a while: as long as HeyGen asks, or longer each time for a problem of our own."""
    ours = isinstance(error, OperatorProblem)
    close(error.code, error.message, needs_staff=ours, seconds=None if ours else error.retry_after)


@transaction.atomic
def close(code: str, message: str, *, needs_staff: bool, seconds: float | None = None) -> None:
    state, _ = ProviderState.objects.select_for_update().get_or_create(name=NAME)
    state.closings += 1
    doubling = min(MAX_PROBE_SECONDS, PROBE_SECONDS * 2 ** min(state.closings - 1, 10))
    wait = min(seconds or (doubling if needs_staff else BUSY_SECONDS), MAX_BUSY_SECONDS)
    state.closed_until = timezone.now() + timedelta(seconds=wait)
    state.code, state.message = code[:60], message[:500]
    state.needs_staff = state.needs_staff or needs_staff
    state.changed_at = timezone.now()
    state.save()
    log = logger.error if needs_staff else logger.warning
    log("provider_gate_closed", code=code, message=message, seconds=wait, needs_staff=needs_staff)


def reopen() -> None:
    """HeyGen took an order, or staff say that it will."""
    closed = ProviderState.objects.filter(name=NAME).exclude(code="")
    if closed.update(closed_until=None, code="", message="", needs_staff=False, closings=0, changed_at=timezone.now()):
        logger.info("provider_gate_opened")
