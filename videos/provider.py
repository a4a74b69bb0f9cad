"""HeyGen's gate: closed while it is busy or while staff must act, opened by the first order that it takes."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import audit
from accounts.enums import AuditAct
from genvid.heygen.errors import HeyGenError, OperatorProblem
from genvid.jobs import enqueue_on_commit
from videos import jobs
from videos.models import ProviderState

logger = structlog.get_logger(__name__)

NAME = "heygen"
TEST = "test"
"""The sandbox that renders for test keys: its row is a lock, and says nothing."""
BUSY_SECONDS = 5.0
PROBE_SECONDS = 15.0
"""How long the gate stays closed before one order probes it; doubled each time in a row, up to the maximum."""
MAX_PROBE_SECONDS = 600.0
MAX_BUSY_SECONDS = 6 * 3600.0
"""HeyGen's `Retry-After` is honoured up to here."""
LOOK_SECONDS = 30.0
"""How often HeyGen is asked how our account stands before an order is risked."""
LIMIT_STEP_SECONDS = 30.0
"""A limit lowered by a 429 grows by one video each time this has passed."""


def lock_state(name: str = NAME) -> ProviderState | None:
    """The state's row, locked for the scheduler; None when another scheduler is at work. Inside a transaction."""
    ProviderState.objects.get_or_create(name=name)
    return ProviderState.objects.select_for_update(skip_locked=True).filter(name=name).first()


def is_open(state: ProviderState, now: datetime) -> bool:
    return state.paused_at is None and (state.closed_until is None or state.closed_until <= now)


def is_shut(state: ProviderState, now: datetime) -> bool:
    """Whether orders wait for HeyGen or for staff. A gate that only a probe may pass is no open one."""
    return settings.HEYGEN_API_KEY == "" or state.needs_staff or not is_open(state, now)


def limit(state: ProviderState, now: datetime) -> int:
    """Videos that may be in flight: HEYGEN_MAX_CONCURRENT, or for a while what HeyGen was seen to take."""
    most: int = settings.HEYGEN_MAX_CONCURRENT
    if state.learned_limit is None or state.learned_at is None:
        return most
    grown = state.learned_limit + int((now - state.learned_at).total_seconds() / LIMIT_STEP_SECONDS)
    return min(most, max(1, grown))


def learn_limit(rendering: int, ordered_at: datetime | None = None) -> None:
    """HeyGen refused one more beside those `rendering`: for a while hand out no more than it was seen to take.

    Not less than half of the limit so far: a 429 may be about requests a minute, not about videos at once. Orders
    handed out before the limit was lowered (`ordered_at`) were too many by the old limit: they lower it no further.
    """
    now = timezone.now()
    with transaction.atomic():
        state, _ = ProviderState.objects.select_for_update().get_or_create(name=NAME)
        if ordered_at and state.learned_at and ordered_at < state.learned_at:
            return
        before = limit(state, now)
        learned = max(1, min(max(rendering, before // 2), before))
        ProviderState.objects.filter(pk=state.pk).update(learned_limit=learned, learned_at=now)
    logger.warning("provider_limit_learned", limit=learned)


@transaction.atomic
def pause(by: str, *, staff_id: UUID | None = None) -> None:
    """Staff stop all new orders until they say otherwise. What HeyGen has already goes on.

    `by`: a name for the log and the page. `staff_id`: whose that is, None for an operator at a shell.
    """
    audit.note_staff(AuditAct.ORDERS_PAUSED, staff_id=staff_id, by=by)
    ProviderState.objects.get_or_create(name=NAME)
    ProviderState.objects.filter(name=NAME, paused_at=None).update(paused_at=timezone.now(), paused_by=by[:254])
    enqueue_on_commit(jobs.ALARM_STAFF)
    logger.warning("provider_paused", by=by)


@transaction.atomic
def resume(by: str, *, staff_id: UUID | None = None) -> None:
    """Take a pause back. A gate that HeyGen's own answers closed stays closed."""
    audit.note_staff(AuditAct.ORDERS_RESUMED, staff_id=staff_id, by=by)
    ProviderState.objects.get_or_create(name=NAME)
    ProviderState.objects.filter(name=NAME).update(paused_at=None, paused_by="")
    enqueue_on_commit(jobs.ALARM_STAFF)
    enqueue_on_commit(jobs.DISPATCH)
    logger.info("provider_resumed", by=by)


def is_probing(state: ProviderState) -> bool:
    """The last word was bad: one order at a time until one is taken."""
    return state.needs_staff


def close_for(error: HeyGenError, ordered_at: datetime | None = None) -> None:
    """Stop handing out slots for a while: as long as HeyGen asks, or longer each time for a problem of our own.

    An order that met a problem of our own goes through `services.gate_trips` instead, which knows whose it is.
    """
    if isinstance(error, OperatorProblem):
        close(error.code, error.message, needs_staff=True, ordered_at=ordered_at)
    else:
        close(error.code, error.message, needs_staff=False, seconds=error.retry_after)


@transaction.atomic
def close(
    code: str,
    message: str,
    *,
    needs_staff: bool,
    seconds: float | None = None,
    until_rendered: bool = False,
    ordered_at: datetime | None = None,
    account_id: UUID | None = None,
) -> None:
    """Hand out no slots for `seconds`, or for a time that doubles with each closing in a row.

    `until_rendered`: HeyGen took the order and failed it later, as it does with an empty wallet. Another order taken
    proves nothing then; only a finished render does. `ordered_at`: when the order went out that met this trouble, and
    `account_id` whose it was: the next probe is another account's.
    """
    state, _ = ProviderState.objects.select_for_update().get_or_create(name=NAME)
    state.until_rendered = state.until_rendered or until_rendered
    if not needs_staff:
        _close_busily(state, code, message, min(seconds or BUSY_SECONDS, MAX_BUSY_SECONDS))
    elif not is_known_trouble(state, ordered_at):
        _close_for_staff(state, code, message)
        state.tripped_by_id = account_id
    state.save()


def is_known_trouble(state: ProviderState, ordered_at: datetime | None) -> bool:
    """Ten orders that were out when the wallet ran dry are one trouble, not ten in a row."""
    waits = state.closed_until is not None and state.closed_until > timezone.now()
    return state.needs_staff and (waits or (ordered_at is not None and ordered_at < state.changed_at))


def _close_busily(state: ProviderState, code: str, message: str, seconds: float) -> None:
    """A wait that is longer already stays, and so does what only staff can mend."""
    until = timezone.now() + timedelta(seconds=seconds)
    state.closed_until = max(until, state.closed_until or until)
    if not state.needs_staff:
        state.code, state.message, state.changed_at = code[:60], message[:500], timezone.now()
    logger.warning("provider_gate_closed", code=code, message=message, seconds=seconds, needs_staff=False)


def _close_for_staff(state: ProviderState, code: str, message: str) -> None:
    wait = min(MAX_PROBE_SECONDS, PROBE_SECONDS * 2 ** min(state.closings, 10))
    state.closings += 1
    state.closed_until = timezone.now() + timedelta(seconds=wait)
    state.code, state.message, state.changed_at = code[:60], message[:500], timezone.now()
    if not state.needs_staff:
        state.needs_staff, state.needs_staff_since = True, timezone.now()
        enqueue_on_commit(jobs.ALARM_STAFF)
    logger.error("provider_gate_closed", code=code, message=message, seconds=wait, needs_staff=True)


def needs_look(state: ProviderState, now: datetime) -> bool:
    """Whether the wait of a gate that needs staff is over: then HeyGen is asked before an order is risked."""
    return state.needs_staff and is_open(state, now)


def take_early_look() -> bool:
    """True for one worker each LOOK_SECONDS while the gate waits for staff: our balance may have been filled up."""
    now = timezone.now()
    long_ago = Q(looked_at=None) | Q(looked_at__lte=now - timedelta(seconds=LOOK_SECONDS))
    waits = ProviderState.objects.filter(long_ago, name=NAME, needs_staff=True, paused_at=None, closed_until__gt=now)
    return waits.update(looked_at=now) == 1


def note_balance(remaining: Decimal) -> bool:
    """Keep what a look found. True when it is more than the look before found: somebody filled it up."""
    before = ProviderState.objects.filter(name=NAME).values_list("balance_seen", flat=True).first()
    ProviderState.objects.filter(name=NAME).update(balance_seen=remaining, looked_at=timezone.now())
    return before is not None and remaining > before


def take_look() -> bool:
    """True for one worker each LOOK_SECONDS; until that one says `let_probe`, the gate stays closed."""
    now = timezone.now()
    waited = ProviderState.objects.filter(name=NAME, needs_staff=True, paused_at=None, closed_until__lte=now)
    return waited.update(closed_until=now + timedelta(seconds=LOOK_SECONDS)) == 1


def let_probe() -> None:
    """One order may find out whether HeyGen takes any."""
    ProviderState.objects.filter(name=NAME, needs_staff=True).update(closed_until=timezone.now())


@transaction.atomic
def reopen(by: str = "", *, staff_id: UUID | None = None) -> None:
    """Staff say that HeyGen will take orders again."""
    audit.note_staff(AuditAct.GATE_OPENED, staff_id=staff_id, by=by)
    _open(ProviderState.objects.filter(name=NAME))


def note_order_taken(ordered_at: datetime) -> None:
    """Opens a gate whose wait is over. An order that was sent before it closed proves nothing."""
    _open(_waited_out(ordered_at).filter(until_rendered=False))


def note_render_finished(ordered_at: datetime) -> None:
    """HeyGen rendered and took its money: whatever closed the gate before this order was sent is over."""
    _open(_waited_out(ordered_at))


def _waited_out(ordered_at: datetime) -> QuerySet[ProviderState]:
    over = Q(closed_until=None) | Q(closed_until__lte=timezone.now())
    return ProviderState.objects.filter(over, name=NAME, changed_at__lte=ordered_at)


def _open(states: QuerySet[ProviderState]) -> None:
    opened = states.exclude(code="").update(
        closed_until=None,
        code="",
        message="",
        needs_staff=False,
        needs_staff_since=None,
        until_rendered=False,
        closings=0,
        tripped_by=None,
        balance_seen=None,
        changed_at=timezone.now(),
    )
    if opened:
        enqueue_on_commit(jobs.ALARM_STAFF)
        logger.info("provider_gate_opened")
