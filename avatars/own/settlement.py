"""The ends of a creation, and its way back into the queue; each moves its credits in one transaction."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts import audit_log
from accounts.enums import AuditAct, EventType
from accounts.webhooks import outgoing_events
from avatars import jobs
from avatars.enums import CreationKind, EntryStatus, MailKind
from avatars.models import Creation
from avatars.own import metrics, representations
from billing import credits
from genvid import database_clock, request_context
from genvid.jobs import enqueue_on_commit
from genvid.leasing import from_now
from genvid.mail import outbox
from genvid.transactions import joined

DESCRIPTIONS = {
    CreationKind.PHOTO_AVATAR: "Photo avatar",
    CreationKind.DIGITAL_TWIN: "Digital twin",
    CreationKind.VOICE_CLONE: "Voice clone",
}


@request_context.under_request_of_row
@transaction.atomic
def complete(
    creation: Creation, entry: dict[str, Any], *, provider_voice_id: str = "", is_confirmed: bool = True
) -> bool:
    """Charge the fee. False when it was settled, claimed or deleted before.

    `is_confirmed`: where it waited for the filmed person's consent, HeyGen says that it was given.
    """
    is_agreed = is_confirmed and creation.status == EntryStatus.WAITING_FOR_CONSENT
    done = creation.move(
        EntryStatus.READY,
        reason="made",
        due_at=None,
        ready_at=database_clock.now(),
        consent_url="",
        credits_charged=creation.credits_held,
        credits_held=0,
        provider_voice_id=provider_voice_id,
        entry=entry,
        **(_confirmation() if is_agreed else {}),
    )
    if not done:
        return False
    if is_agreed:
        _record_consent(creation)
    if not creation.is_test:
        credits.capture(
            creation.money_reference,
            creation.credits_charged,
            description=DESCRIPTIONS[CreationKind(creation.kind)],
            provider_microdollars=creation.provider_microdollars,
        )
    _end(creation, EventType.VOICE_READY if creation.kind == CreationKind.VOICE_CLONE else EventType.AVATAR_READY)
    return True


@request_context.under_request_of_row
@transaction.atomic
def go_on_with_consent(creation: Creation, *, due_at: Any) -> bool:
    """HeyGen makes it now, so the person has agreed on its page. False when it was moved, claimed or deleted before."""
    moved = creation.move(
        EntryStatus.CREATING,
        reason="consent_given",
        deadline=timedelta(seconds=settings.OWN_AVATAR_CREATE_DEADLINE),
        due_at=due_at,
        consent_url="",
        **_confirmation(),
    )
    if moved:
        _record_consent(creation)
    return moved


def _confirmation() -> dict[str, Any]:
    return {"consent_confirmed_at": database_clock.now()}


def _record_consent(creation: Creation) -> None:
    entry = str(creation.entry_id)
    audit_log.record(AuditAct.CONSENT_CONFIRMED, account_id=creation.account_id, kind=creation.kind, entry=entry)


@request_context.under_request_of_row
@transaction.atomic
def fail(creation: Creation, *, code: str, message: str, reason: str, provider_error: str = "") -> bool:
    """Return the credits. What is left at HeyGen is removed next. False when it was settled, claimed or deleted."""
    return _end_without_result(
        creation, EntryStatus.FAILED, code=code, message=message, reason=reason, detail=provider_error
    )


@transaction.atomic
def refuse(creation: Creation, *, message: str) -> bool:
    """By staff, with a reason for the customer."""
    return _end_without_result(creation, EntryStatus.REFUSED, code="refused", message=message, reason="refused")


def _end_without_result(
    creation: Creation, to: EntryStatus, *, code: str, message: str, reason: str, detail: str = ""
) -> bool:
    ended = creation.move(
        to,
        reason=reason,
        detail=detail,
        due_at=from_now() if creation.attempt else None,
        error_code=code,
        error_message=message[:500],
        provider_error=detail[:500],
        consent_url="",
        credits_held=0,
    )
    if ended:
        release(creation)
        is_voice = creation.kind == CreationKind.VOICE_CLONE
        _end(creation, EventType.VOICE_FAILED if is_voice else EventType.AVATAR_FAILED)
        if creation.attempt:
            enqueue_on_commit(jobs.WORK_ON_CREATION, str(creation.pk))
    return ended


def release(creation: Creation) -> None:
    """Nothing where nothing was held, or where it was settled."""
    if not creation.is_test:
        credits.release(creation.money_reference)


@joined()
def requeue(creation: Creation, *, reason: str, why: str, pause: timedelta) -> bool:
    """Back to the queue. Only where the present order makes nothing: HeyGen would bill both."""
    left = timedelta(seconds=settings.OWN_AVATAR_QUEUE_DEADLINE) - _time_in_queue(creation)
    back = creation.move(
        EntryStatus.QUEUED,
        reason=reason,
        detail=why,
        deadline=left,
        due_at=from_now(pause),
        idempotency_key="",
        ordered_at=None,
        provider_object_id="",
        provider_group_id="",
    )
    if back:
        Creation.objects.filter(pk=creation.pk).update(waiting_reason=why[:300])
    return back


def _time_in_queue(creation: Creation) -> timedelta:
    """Until now, with the time in which it was made. Staff and the filmed person took theirs from nobody."""
    moves = [*creation.events.order_by("created_at", "id").values_list("to_status", "created_at")]
    ends = [*(moment for _, moment in moves[1:]), database_clock.now()][: len(moves)]
    ours = (EntryStatus.QUEUED, EntryStatus.CREATING)
    # Rows of the release before have the time of a machine whose clock may have been ahead.
    spans = [max(timedelta(), end - begin) for (status, begin), end in zip(moves, ends, strict=True) if status in ours]
    return sum(spans, timedelta())


def _end(creation: Creation, event: EventType) -> None:
    metrics.settled.add(str(creation.kind), str(creation.status), creation.error_code)
    if creation.created_by_id is not None and creation.api_key_id is None:
        is_ready = creation.status == EntryStatus.READY
        kind = MailKind.OWN_AVATAR_READY if is_ready else MailKind.OWN_AVATAR_FAILED
        outbox.write(kind, person=creation.created_by_id, account=creation.account_id, creation=str(creation.pk))
    shown = representations.entry_data(creation)
    outgoing_events.publish(creation.account_id, event, shown, object_id=str(creation.entry_id))
