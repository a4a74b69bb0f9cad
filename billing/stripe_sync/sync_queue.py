"""Work queue of Stripe objects to re-read. One row per object; `version` makes a change during a run trigger another
run. The row is written in the transaction that stores the event. Workers run what is due (`handlers`), a sweep finds
what the broker lost, and failures are retried after growing pauses. Running twice, late or out of order does no
harm.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from billing import jobs, mails
from billing.enums import SyncKind
from billing.models import StripeSync
from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync import handlers
from genvid import leasing
from genvid.jobs import enqueue_on_commit
from genvid.leasing import Backoff, from_now

logger = structlog.get_logger(__name__)
BACKOFF = Backoff(5, most=900)
A_SWEEP = 200
KEPT = timedelta(days=60)
KEY_REFUSED = frozenset({"bad_key", "not_permitted"})

ITSELF = {
    "checkout.session.": SyncKind.SESSION,
    "invoice.": SyncKind.INVOICE,
    "customer.subscription.": SyncKind.SUBSCRIPTION,
    "payment_intent.": SyncKind.PAYMENT_INTENT,
    "customer.deleted": SyncKind.CUSTOMER,
}
"""Event types whose object is the one to read."""
OF_A_CHARGE = ("charge.dispute.", "refund.", "radar.early_fraud_warning.")
"""Event types whose object names the charge to read."""


def request_sync_for_event(event_type: str, obj: Mapping[str, Any]) -> None:
    """Requests the sync of the event's object. Events about nothing of ours are ignored."""
    target = target_of(event_type, obj)
    if target is not None:
        request_sync(*target)


def target_of(event_type: str, obj: Mapping[str, Any]) -> tuple[SyncKind, str] | None:
    """The object to read, from the event's type; None for events that are not handled."""
    if event_type.startswith(OF_A_CHARGE):
        charge = obj.get("charge")
        return (SyncKind.CHARGE, str(charge["id"] if isinstance(charge, Mapping) else charge)) if charge else None
    if event_type.startswith("charge."):
        return SyncKind.CHARGE, str(obj["id"])
    for prefix, kind in ITSELF.items():
        if event_type.startswith(prefix):
            return kind, str(obj["id"])
    return None


@transaction.atomic
def request_sync(kind: SyncKind, object_id: str) -> StripeSync:
    """One row per object: a request during a run makes it run once more."""
    noted = {"due_at": from_now(), "noted_at": timezone.now()}
    row, is_new = StripeSync.objects.get_or_create(kind=kind, object_id=object_id, defaults=noted)
    if not is_new:
        StripeSync.objects.filter(pk=row.pk).update(version=F("version") + 1, **noted)
    enqueue_on_commit(jobs.LOOK, str(row.pk))
    return row


def run_sync(pk: int) -> bool:
    """Runs one sync. False when it was not due, or failed and will be retried."""
    row: StripeSync | None = StripeSync.objects.filter(pk=pk).claim(settings.BILLING_LEASE)
    if row is None:
        return False
    try:
        handlers.sync_object(SyncKind(row.kind), row.object_id)
    except BillingError as error:
        alarm_refused_key(error)
        return _not_this_time(row, str(error), retryable=error.retryable)
    except Exception as error:
        logger.exception("nudge_failed", kind=row.kind, object_id=row.object_id, tries=row.tries)
        return _not_this_time(row, repr(error), retryable=True)
    return row.finish(tries=0, done_at=timezone.now())


def alarm_refused_key(error: BillingError) -> None:
    """Alarm staff, once a day, when Stripe refuses our key: payments are not recorded until they replace it."""
    if error.code in KEY_REFUSED:
        text = f"Stripe refuses STRIPE_SECRET_KEY ({error}). Payments are not recorded until it is replaced."
        mails.alarm_staff(f"stripe-key:{error.code}:{timezone.now():%Y-%m-%d}", text)


def _not_this_time(row: StripeSync, error: str, *, retryable: bool) -> bool:
    logger.warning("nudge_put_off", kind=row.kind, object_id=row.object_id, error=error, retryable=retryable)
    if retryable:
        row.retry_later(BACKOFF.delay(row.tries), error)
    else:
        row.give_up(error)
    return False


def sweep_syncs() -> int:
    """Enqueue what is due. Returns how many."""
    return leasing.sweep(StripeSync.objects.due(), jobs.LOOK, most=A_SWEEP)


def delete_finished_syncs() -> int:
    """Deletes rows without events for long. Returns how many."""
    quiet = StripeSync.objects.filter(due_at=None, error="", noted_at__lt=timezone.now() - KEPT)
    return quiet.delete()[0]
