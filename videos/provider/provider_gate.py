"""The gate in front of HeyGen: the circuit breaker that every order passes.

An open gate lets orders through (the literature's closed circuit), a shut one lets none (its open circuit), a half-open
one lets one at a time, a probe. The table, the admin, `/metrics` and the log say "closed" where the code says shut.

HeyGen's answers trip the gate. A busy HeyGen shuts it for as long as HeyGen asks; then it is open. A problem of our
account, such as an empty wallet, shuts it for longer with each trip in a row; then it is half-open: HeyGen is asked for
our balance, which costs nothing, and if that looks well one order probes it. Staff may pause, resume and reopen it.

No order shuts out the others: HeyGen may refuse a long video that is dearer than what is left, and take the next. An
order that tripped the gate, and would trip it again though another account's was accepted meanwhile, is set aside: it
waits for staff, and the gate stays as it is. While nobody's orders are accepted, nothing is set aside.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from accounts import audit_log
from accounts.enums import AuditAct
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import HeyGenError, OperatorProblem
from genvid.heygen.heygen_types import Failure
from genvid.jobs import enqueue_on_commit
from videos import jobs, operator_alarms
from videos.enums import Status
from videos.models import ProviderState, Video
from videos.provider.gate_decisions import Gate, Trouble

logger = structlog.get_logger(__name__)

NAME = "heygen"
TEST = "test"
"""The sandbox that renders for test keys. Its row serves the scheduler as a lock; nothing trips it."""
COLUMNS = [field.name for field in fields(Gate) if field.name != "max_in_flight"]
ABOUT_OUR_KEY = frozenset({"unauthorized", "authentication_failed", "no_api_key", "user_blocked"})
"""No order is to blame for these."""
NOT_TOLD = Decimal(10**9)
"""HeyGen answers, but does not say how much is left."""
KEY_REFUSED = Decimal(-1)


def read() -> Gate:
    return _gate_of(ProviderState.objects.filter(name=NAME).first() or ProviderState(name=NAME))


def lock(name: str = NAME) -> Gate | None:
    """The gate, locked for the scheduler; None when another scheduler is at work. Inside a transaction."""
    ProviderState.objects.get_or_create(name=name)
    state = ProviderState.objects.select_for_update(skip_locked=True).filter(name=name).first()
    return _gate_of(state) if state else None


def allowance(gate: Gate, now: datetime) -> int:
    """Slots that may be handed out."""
    probe = Q(submitted_at__gte=gate.changed_at)
    if not gate.until_rendered:
        probe &= Q(status=Status.SUBMITTING)
    in_flight = Video.objects.live().in_flight().order_by()
    counts = in_flight.aggregate(in_flight=Count("pk"), probes=Count("pk", filter=probe))
    return gate.allowance(now, **counts)


@transaction.atomic
def trip(error: HeyGenError | Failure, *, video: Video | None = None, ordered_at: datetime | None = None) -> None:
    """Shut the gate for what HeyGen answered, or set aside the order that is to blame.

    A `Failure` is one of a render whose order HeyGen had taken: the gate then waits for a finished render. `video`:
    whose order met the trouble, never one of a test key. `ordered_at`: when that order went out; where HeyGen was too
    busy for it, the limit is lowered.
    """
    before, now, trouble = _lock(), timezone.now(), _trouble_of(error, video, ordered_at)
    if video and trouble.needs_staff and not before.is_known(trouble, now) and _is_to_blame(video, trouble):
        _set_aside(video, trouble)
        return
    rendering = Video.objects.live().filter(status=Status.RENDERING).count()
    after = before.tripped(trouble, now, rendering=rendering)
    _store(before, after)
    if after.closings > before.closings and video:
        Video.objects.filter(pk=video.pk).update(gate_tripped_at=now)


def half_open() -> bool:
    """Ask HeyGen for our balance, and let a probe through a gate that needs staff if there is money.

    True when orders may be handed out, as they always may while staff are not needed. One worker asks at a time. Not
    to be called inside a transaction.
    """
    gate, now = read(), timezone.now()
    if not gate.needs_staff:
        return True
    if gate.is_half_open(now) and allowance(gate, now) == 0:
        return False
    before, claimed = _change(Gate.checking_balance)
    if claimed == before:
        return False
    balance, is_early = _balance(), claimed.closed_until == before.closed_until
    _, gate = _change(lambda gate, now: gate.with_balance(balance, now, is_early=is_early))
    return not gate.is_shut(timezone.now())


def record_success(ordered_at: datetime, *, is_rendered: bool = False) -> None:
    """HeyGen took the order, or has rendered it. Reopens a gate whose wait is over if this order proves it."""
    _change(lambda gate, now: gate.succeeded(ordered_at, now, is_rendered=is_rendered))


def pause(by: str, *, staff_id: UUID | None = None) -> None:
    """Staff stop all new orders until they say otherwise. What HeyGen has already goes on.

    `by`: a name for the log and the page. `staff_id`: whose that is, None for an operator at a shell.
    """
    _change_by_staff(AuditAct.ORDERS_PAUSED, by, staff_id, lambda gate, now: gate.paused(by, now))
    logger.warning("provider_paused", by=by)


@transaction.atomic
def resume(by: str, *, staff_id: UUID | None = None) -> None:
    """Take a pause back. A gate that HeyGen's own answers shut stays shut."""
    _change_by_staff(AuditAct.ORDERS_RESUMED, by, staff_id, lambda gate, _: replace(gate, paused_at=None, paused_by=""))
    enqueue_on_commit(jobs.DISPATCH)
    logger.info("provider_resumed", by=by)


def reopen(by: str = "", *, staff_id: UUID | None = None) -> None:
    """Staff say that HeyGen will take orders again."""
    _change_by_staff(AuditAct.GATE_OPENED, by, staff_id, Gate.reopened)


@transaction.atomic
def _change_by_staff(act: AuditAct, by: str, staff_id: UUID | None, decide: Callable[[Gate, datetime], Gate]) -> None:
    audit_log.record_staff_action(act, staff_id=staff_id, by=by)
    _change(decide)


def _change(decide: Callable[[Gate, datetime], Gate]) -> tuple[Gate, Gate]:
    """The gate before and after. Takes the lock only where there is something to change, as mostly there is not."""
    gate = read()
    if decide(gate, timezone.now()) == gate:
        return gate, gate
    with transaction.atomic():
        before = _lock()
        after = decide(before, timezone.now())
        _store(before, after)
    return before, after


def _lock() -> Gate:
    return _gate_of(ProviderState.objects.select_for_update().get_or_create(name=NAME)[0])


def _gate_of(state: ProviderState) -> Gate:
    return Gate(settings.HEYGEN_MAX_CONCURRENT, **{name: getattr(state, name) for name in COLUMNS})


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
    """Whether another account's order was accepted since this one tripped the gate.

    Where HeyGen takes every order and fails some later, only a finished render was accepted.
    """
    tripped_at = Video.objects.filter(pk=video.pk).values_list("gate_tripped_at", flat=True).first()
    if tripped_at is None or trouble.code in ABOUT_OUR_KEY:
        return False
    accepted = Q(rendered_at__gt=tripped_at)
    if not trouble.was_taken:
        accepted |= Q(status__in=(Status.RENDERING, Status.STORING))
    others = Video.objects.live().exclude(account=video.account_id)
    return others.filter(accepted, submitted_at__gt=tripped_at).exists()


def _set_aside(video: Video, trouble: Trouble) -> None:
    Video.objects.filter(pk=video.pk).update(set_aside_at=timezone.now())
    logger.warning("order_set_aside", video_id=str(video.pk), account_id=str(video.account_id), code=trouble.code)
    text = (
        f"HeyGen refuses video {video.pk} of account {video.account_id} with {trouble.code}: {trouble.message} Orders "
        "of others are accepted, so it was set aside: it stands in nobody's way, and fails at its deadline unless you "
        "let it go on."
    )
    operator_alarms.raise_alarm("order_set_aside", str(video.pk), text)


def _balance() -> Decimal | None:
    """What HeyGen says is left of our money; None when it does not answer."""
    try:
        account = get_client().get_account()
    except HeyGenError as error:
        logger.warning("provider_looked_at", error=str(error))
        return KEY_REFUSED if isinstance(error, OperatorProblem) else None
    logger.info("provider_looked_at", remaining=str(account.remaining), currency=account.currency)
    return NOT_TOLD if account.remaining is None else min(account.remaining, NOT_TOLD)
