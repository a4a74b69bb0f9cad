"""HeyGen's gate: closed while it is busy or while staff must act, opened by the first order that it takes."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from genvid.broker import enqueue_on_commit
from genvid.heygen.errors import HeyGenError, OperatorProblem
from videos import tasks
from videos.models import ProviderState

logger = structlog.get_logger(__name__)

NAME = "heygen"
BUSY_SECONDS = 5.0
PROBE_SECONDS = 15.0
"""How long the gate stays closed before one order probes it; doubled each time in a row, up to the maximum."""
MAX_PROBE_SECONDS = 600.0
MAX_BUSY_SECONDS = 6 * 3600.0
"""HeyGen's `Retry-After` is honoured up to here."""
LIMIT_STEP_SECONDS = 30.0
"""A limit lowered by a 429 grows by one video each time this has passed."""


def lock_state() -> ProviderState | None:
    """The state's row, locked for the scheduler; None when another scheduler is at work. Inside a transaction."""
    ProviderState.objects.get_or_create(name=NAME)
    return ProviderState.objects.select_for_update(skip_locked=True).filter(name=NAME).first()


def is_open(state: ProviderState, now: datetime) -> bool:
    return state.paused_at is None and (state.closed_until is None or state.closed_until <= now)


def limit(state: ProviderState, now: datetime) -> int:
    """Videos that may be in flight: HEYGEN_MAX_CONCURRENT, or for a while what HeyGen was seen to take."""
    most: int = settings.HEYGEN_MAX_CONCURRENT
    if state.learned_limit is None or state.learned_at is None:
        return most
    grown = state.learned_limit + int((now - state.learned_at).total_seconds() / LIMIT_STEP_SECONDS)
    return min(most, max(1, grown))


def learn_limit(rendering: int) -> None:
    """HeyGen refused one more beside those `rendering`: for a while hand out no more than it was seen to take.

    Not less than half of the limit so far: a 429 may be about requests a minute, not about videos at once.
    """
    now = timezone.now()
    with transaction.atomic():
        state, _ = ProviderState.objects.select_for_update().get_or_create(name=NAME)
        before = limit(state, now)
        learned = max(1, min(max(rendering, before // 2), before))
        ProviderState.objects.filter(pk=state.pk).update(learned_limit=learned, learned_at=now)
    logger.warning("provider_limit_learned", limit=learned)


def pause(by: str) -> None:
    """Staff stop all new orders until they say otherwise. What HeyGen has already goes on."""
    ProviderState.objects.get_or_create(name=NAME)
    ProviderState.objects.filter(name=NAME, paused_at=None).update(paused_at=timezone.now(), paused_by=by[:254])
    enqueue_on_commit(tasks.alarm_staff)
    logger.warning("provider_paused", by=by)


def resume(by: str) -> None:
    """Take a pause back. A gate that HeyGen's own answers closed stays closed."""
    ProviderState.objects.get_or_create(name=NAME)
    ProviderState.objects.filter(name=NAME).update(paused_at=None, paused_by="")
    enqueue_on_commit(tasks.alarm_staff)
    enqueue_on_commit(tasks.dispatch)
    logger.info("provider_resumed", by=by)


def is_probing(state: ProviderState) -> bool:
    """The last word was bad: one order at a time until one is taken."""
    return state.needs_staff


def close_for(error: HeyGenError) -> None:
    """Stop handing out slots for a while: as long as HeyGen asks, or longer each time for a problem of our own."""
    ours = isinstance(error, OperatorProblem)
    close(error.code, error.message, needs_staff=ours, seconds=None if ours else error.retry_after)


@transaction.atomic
def close(
    code: str, message: str, *, needs_staff: bool, seconds: float | None = None, until_rendered: bool = False
) -> None:
    """Hand out no slots for `seconds`, or for a time that doubles with each closing in a row.

    `until_rendered`: HeyGen took the order and failed it later, as it does with an empty wallet. Another order taken
    proves nothing then; only a finished render does.
    """
    state, _ = ProviderState.objects.select_for_update().get_or_create(name=NAME)
    state.closings += 1
    doubling = min(MAX_PROBE_SECONDS, PROBE_SECONDS * 2 ** min(state.closings - 1, 10))
    wait = min(seconds or (doubling if needs_staff else BUSY_SECONDS), MAX_BUSY_SECONDS)
    state.closed_until = timezone.now() + timedelta(seconds=wait)
    state.code, state.message = code[:60], message[:500]
    if needs_staff and not state.needs_staff:
        state.needs_staff, state.needs_staff_since = True, timezone.now()
        enqueue_on_commit(tasks.alarm_staff)
    state.until_rendered = state.until_rendered or until_rendered
    state.changed_at = timezone.now()
    state.save()
    log = logger.error if needs_staff else logger.warning
    log("provider_gate_closed", code=code, message=message, seconds=wait, needs_staff=needs_staff)


def reopen() -> None:
    """Staff say that HeyGen will take orders again."""
    _open(ProviderState.objects.filter(name=NAME))


def note_order_taken() -> None:
    """Opens a gate whose wait is over. An order that was sent before it closed does not cut the wait short."""
    _open(_waited_out().filter(until_rendered=False))


def note_render_finished() -> None:
    """HeyGen rendered and took its money: whatever closed the gate is over, once its wait is."""
    _open(_waited_out())


def _waited_out() -> QuerySet[ProviderState]:
    over = Q(closed_until=None) | Q(closed_until__lte=timezone.now())
    return ProviderState.objects.filter(over, name=NAME)


def _open(states: QuerySet[ProviderState]) -> None:
    opened = states.exclude(code="").update(
        closed_until=None,
        code="",
        message="",
        needs_staff=False,
        needs_staff_since=None,
        until_rendered=False,
        closings=0,
        changed_at=timezone.now(),
    )
    if opened:
        enqueue_on_commit(tasks.alarm_staff)
        logger.info("provider_gate_opened")
