"""The gate in front of HeyGen: the circuit breaker that every order passes.

An open gate lets orders through (a closed circuit in the literature), a shut one none, a half-open one a single order
as a probe. The table, the admin, `/metrics` and the log say "closed" for shut.

HeyGen's answers trip the gate. A busy HeyGen shuts it for as long as HeyGen asks; then it is open. A problem of our
account, such as an empty wallet, shuts it for longer with each trip in a row; then it is half-open: we read our
balance, and if there is money one order probes it. Staff may pause, resume and reopen it.

HeyGen may refuse a long video that costs more than what is left, and accept the next one. So an order that would trip
the gate a second time, while another account's was accepted in between, is set aside for staff instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from accounts import audit_log
from accounts.enums import AuditAct
from genvid import database_clock
from genvid.heygen.call_pace import CALLS_PER_SECOND
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import HeyGenError, OperatorProblem
from genvid.heygen.heygen_types import Failure
from genvid.jobs import enqueue_on_commit
from genvid.process_cache import Remembered
from videos import jobs, operator_alarms
from videos.enums import Status
from videos.models import ProviderState, Video
from videos.provider import balances
from videos.provider.gate_decisions import Gate, Trouble
from videos.querysets import in_statuses

logger = structlog.get_logger(__name__)

NAME = "heygen"
TEST = "test"
"""Row of the test renderer: a lock for the scheduler; nothing trips it."""
MAX_ORDERS_PER_SECOND = CALLS_PER_SECOND
"""HeyGen answers fifty calls of a kind in a second; a refusal would shut the gate."""
COLUMNS = [field.name for field in fields(Gate) if field.name != "max_in_flight"]
ABOUT_OUR_KEY = frozenset({"unauthorized", "authentication_failed", "no_api_key", "user_blocked"})
REMEMBERED_SECONDS = 3600.0
CLOCK_SKEW = timedelta(seconds=2)
NEVER = datetime.min.replace(tzinfo=UTC)
UNLIMITED_BALANCE = Decimal(10**9)
KEY_REFUSED = Decimal(-1)


def read() -> Gate:
    return gate_of(read_state())


def read_state() -> ProviderState:
    return ProviderState.objects.filter(name=NAME).first() or ProviderState(name=NAME)


def read_or_make_state() -> ProviderState:
    return ProviderState.objects.get_or_create(name=NAME)[0]


def is_open() -> bool:
    """Whether HeyGen may be called for what needs no render slot: speech, uploads, own faces and voices."""
    gate, now = read(), database_clock.now()
    return not (gate.is_shut(now) or gate.needs_staff)


def lock(name: str = NAME) -> Gate | None:
    """The locked gate; None when another scheduler holds it. Call inside a transaction."""
    row = ProviderState.objects.select_for_update(skip_locked=True).filter(name=name)
    state = row.first()
    if state is None and not ProviderState.objects.filter(name=name).exists():
        ProviderState.objects.bulk_create([ProviderState(name=name)], ignore_conflicts=True)
        state = row.first()
    return gate_of(state) if state else None


def allowance(gate: Gate, now: datetime) -> int:
    """Slots that may be handed out now: as many as are free, and no more in a second than HeyGen answers orders."""
    counts = _counts(gate, now)
    left: int = MAX_ORDERS_PER_SECOND - counts.pop("recent")
    return max(0, min(left, gate.allowance(now, **counts)))


def _counts(gate: Gate, now: datetime) -> dict[str, int]:
    """Orders in flight, those of them that probe the gate, and those of the last second."""
    probe = Q(submitted_at__gte=gate.changed_at)
    if not gate.until_rendered:
        probe &= Q(status=Status.SUBMITTING)
    in_flight = Video.objects.live().in_flight().order_by()
    recent = Q(submitted_at__gt=now - timedelta(seconds=1))
    figures = {"in_flight": Count("pk"), "probes": Count("pk", filter=probe), "recent": Count("pk", filter=recent)}
    counts: dict[str, int] = in_flight.aggregate(**figures)
    return counts


@transaction.atomic
def trip(error: HeyGenError | Failure, *, video: Video | None = None, ordered_at: datetime | None = None) -> None:
    """Shut the gate for what HeyGen answered, or set aside the order that is to blame.

    After the `Failure` of a render the gate waits for a finished render. `video`: whose order got the answer, never one
    of a test key. `ordered_at`: when that order was sent; where HeyGen was busy, the limit is lowered.
    """
    before, now, trouble = _lock(), database_clock.now(), _trouble_of(error, video, ordered_at)
    if video and trouble.needs_staff and not before.is_known(trouble, now) and _is_to_blame(video, trouble):
        _set_aside(video, trouble)
        return
    rendering = Video.objects.live().rendering().count()
    after = before.tripped(trouble, now, rendering=rendering)
    _store(before, after)
    if after.closings > before.closings and video:
        Video.objects.filter(pk=video.pk).update(gate_tripped_at=now)


def half_open() -> bool:
    """Read our balance if the gate needs staff. False when no order may go out. Not inside a transaction.

    Where no slot is free, no order can probe: then a good balance reopens the gate, unless only a render may. The
    orders that follow go out one by one, as slots come free.
    """
    gate, now = read(), database_clock.now()
    if not gate.needs_staff:
        return True
    is_full = False
    if gate.is_half_open(now):
        counts = _counts(gate, now)
        is_full = counts["in_flight"] >= gate.limit(now)
        if counts["probes"] or (is_full and gate.until_rendered):
            return False
    before, claimed = _change(Gate.checking_balance)
    if claimed == before:
        return False
    balance, is_early = _balance(), claimed.closed_until == before.closed_until
    _, gate = _change(lambda gate, now: gate.with_balance(balance, now, is_early=is_early))
    may_probe = not gate.is_shut(database_clock.now())
    if may_probe and is_full and balance is not None and balance > 0:
        _change(Gate.reopened)
        return False
    return may_probe


def record_success(ordered_at: datetime, *, is_rendered: bool = False) -> None:
    """Reopen the gate if this order, accepted or rendered, was sent after it was tripped."""
    seen_open, looked_at = _seen_open(), database_clock.now() - CLOCK_SKEW
    if ordered_at <= seen_open.get(NAME, NEVER):
        # A trip since then would be later than this order, which proves nothing about it.
        return
    _, gate = _change(lambda gate, now: gate.succeeded(ordered_at, now, is_rendered=is_rendered))
    if not gate.code:
        seen_open[NAME] = looked_at


_seen_open = Remembered(dict[str, datetime], REMEMBERED_SECONDS)
"""When this process last saw no trouble, less what clocks may differ."""


def pause(by: str, *, staff_id: UUID | None = None) -> None:
    """Stop all new orders. `by`: a name for the log. `staff_id`: the staff user, None for a management command."""
    _change_by_staff(AuditAct.ORDERS_PAUSED, by, staff_id, lambda gate, now: gate.paused(by, now))
    logger.warning("provider_paused", by=by)


@transaction.atomic
def resume(by: str, *, staff_id: UUID | None = None) -> None:
    _change_by_staff(AuditAct.ORDERS_RESUMED, by, staff_id, lambda gate, _: replace(gate, paused_at=None, paused_by=""))
    enqueue_on_commit(jobs.DISPATCH)
    logger.info("provider_resumed", by=by)


def reopen(by: str = "", *, staff_id: UUID | None = None) -> None:
    _change_by_staff(AuditAct.GATE_OPENED, by, staff_id, Gate.reopened)


@transaction.atomic
def _change_by_staff(act: AuditAct, by: str, staff_id: UUID | None, decide: Callable[[Gate, datetime], Gate]) -> None:
    audit_log.record_staff_action(act, staff_id=staff_id, by=by)
    _change(decide)


def _change(decide: Callable[[Gate, datetime], Gate]) -> tuple[Gate, Gate]:
    gate = read()
    if decide(gate, database_clock.now()) == gate:
        return gate, gate
    with transaction.atomic():
        before = _lock()
        after = decide(before, database_clock.now())
        _store(before, after)
    return before, after


def _lock() -> Gate:
    return gate_of(ProviderState.objects.select_for_update().get_or_create(name=NAME)[0])


def gate_of(state: ProviderState) -> Gate:
    return gate_of_columns([getattr(state, name) for name in COLUMNS])


def gate_of_columns(values: Sequence[Any]) -> Gate:
    """`values`: those of COLUMNS, in that order."""
    return Gate(settings.HEYGEN_MAX_CONCURRENT, *values)


def _store(before: Gate, after: Gate) -> None:
    changes = {name: getattr(after, name) for name in COLUMNS if getattr(after, name) != getattr(before, name)}
    if changes:
        ProviderState.objects.filter(name=NAME).update(**changes)
    if changes.keys() & {"needs_staff", "paused_at"}:
        enqueue_on_commit(jobs.ALARM_STAFF)
    if "changed_at" in changes:
        _log_change(after)


def _log_change(gate: Gate) -> None:
    if not gate.code:
        logger.info("provider_gate_opened")
        return
    log = logger.error if gate.needs_staff else logger.warning
    until = str(gate.closed_until)
    log("provider_gate_closed", code=gate.code, message=gate.message, until=until, needs_staff=gate.needs_staff)


def _trouble_of(error: HeyGenError | Failure, video: Video | None, ordered_at: datetime | None) -> Trouble:
    order: dict[str, Any] = {"ordered_at": ordered_at, "account_id": video.account_id if video else None}
    if isinstance(error, Failure):
        code = error.raw_code or error.code
        return Trouble(code, error.raw_message, error.operator_problem, was_taken=True, **order)
    needs_staff = isinstance(error, OperatorProblem)
    return Trouble(error.code, error.message, needs_staff, seconds=error.retry_after, **order)


def _is_to_blame(video: Video, trouble: Trouble) -> bool:
    """Whether another account's order was accepted (with `was_taken`: rendered) since this one tripped the gate."""
    tripped_at = Video.objects.filter(pk=video.pk).values_list("gate_tripped_at", flat=True).first()
    if tripped_at is None or trouble.code in ABOUT_OUR_KEY:
        return False
    accepted = Q(rendered_at__gt=tripped_at)
    if not trouble.was_taken:
        accepted |= in_statuses({Status.RENDERING, Status.STORING})
    others = Video.objects.live().exclude(account=video.account_id)
    return others.filter(accepted, submitted_at__gt=tripped_at).exists()


def _set_aside(video: Video, trouble: Trouble) -> None:
    Video.objects.filter(pk=video.pk).update(set_aside_at=database_clock.now())
    logger.warning("order_set_aside", video_id=str(video.pk), account_id=str(video.account_id), code=trouble.code)
    text = (
        f"HeyGen refuses video {video.pk} of account {video.account_id} with {trouble.code}: {trouble.message} Orders "
        "of others are accepted, so it was set aside: it holds up no other order, and fails at its deadline unless "
        "you resume it."
    )
    operator_alarms.raise_alarm("order_set_aside", str(video.pk), text)


def _balance() -> Decimal | None:
    try:
        account = get_client().get_account()
    except HeyGenError as error:
        logger.warning("provider_balance_read", error=str(error))
        return KEY_REFUSED if isinstance(error, OperatorProblem) else None
    balances.record(account)
    logger.info("provider_balance_read", remaining=str(account.remaining), currency=account.currency)
    return UNLIMITED_BALANCE if account.remaining is None else min(account.remaining, UNLIMITED_BALANCE)
