"""Work queue of Stripe objects to re-read. One row per object; `version` makes a change during a run trigger another.

Rows are written in the transaction that stores the event. Syncs may run twice, late or out of order.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from billing import jobs, mails
from billing.enums import SyncKind
from billing.models import StripeSync
from billing.stripe import event_types
from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync import handlers
from genvid import database_clock, leasing
from genvid.batched_rows import delete_in_batches
from genvid.jobs import enqueue_on_commit
from genvid.leasing import Backoff, from_now

logger = structlog.get_logger(__name__)
BACKOFF = Backoff(5, most=900)
BATCH_SIZE = 200
RETENTION = timedelta(days=60)
STUCK_RETENTION = timedelta(days=400)
KEY_REFUSED = frozenset({"bad_key", "not_permitted"})


def request_sync_for_event(event_type: str, obj: Mapping[str, Any]) -> None:
    target = event_types.target_of(event_type, obj)
    if target is not None:
        request_sync(*target)


@transaction.atomic
def request_sync(kind: SyncKind, object_id: str) -> StripeSync:
    """A request during a run triggers another run."""
    noted = {"due_at": from_now(), "noted_at": database_clock.now()}
    row, is_new = StripeSync.objects.get_or_create(kind=kind, object_id=object_id, defaults=noted)
    if not is_new:
        StripeSync.objects.filter(pk=row.pk).update(version=F("version") + 1, **noted)
    enqueue_on_commit(jobs.RUN_SYNC, str(row.pk))
    return row


def run_sync(pk: int) -> bool:
    """False when it was not due or failed."""
    row: StripeSync | None = StripeSync.objects.filter(pk=pk).claim(settings.BILLING_LEASE)
    if row is None:
        return False
    try:
        handlers.sync_object(SyncKind(row.kind), row.object_id)
    except BillingError as error:
        alarm_refused_key(error)
        return _record_failure(row, str(error), retryable=error.retryable)
    except Exception as error:
        logger.exception("stripe_sync_failed", kind=row.kind, object_id=row.object_id, tries=row.tries)
        return _record_failure(row, repr(error), retryable=True)
    return row.finish(tries=0, done_at=database_clock.now())


def alarm_refused_key(error: BillingError) -> None:
    if error.code in KEY_REFUSED:
        text = f"Stripe refuses STRIPE_SECRET_KEY ({error}). Payments are not recorded until it is replaced."
        mails.alarm_staff(f"{error.code}:{database_clock.now():%Y-%m-%d}", text, name="stripe_key_refused")


def _record_failure(row: StripeSync, error: str, *, retryable: bool) -> bool:
    logger.warning("stripe_sync_unfinished", kind=row.kind, object_id=row.object_id, error=error, retryable=retryable)
    if retryable:
        row.retry_later(BACKOFF.delay(row.tries), error)
    else:
        row.give_up(error)
    return False


def sweep_syncs() -> int:
    return leasing.sweep(StripeSync.objects.due(), jobs.RUN_SYNC, most=BATCH_SIZE)


def delete_finished_syncs() -> int:
    ended = StripeSync.objects.filter(due_at=None)
    quiet = Q(error="", noted_at__lt=database_clock.now() - RETENTION)
    return delete_in_batches(ended.filter(quiet | Q(noted_at__lt=database_clock.now() - STUCK_RETENTION)))
