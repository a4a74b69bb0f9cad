"""Celery tasks of billing. Each calls one service and may run twice, at any time, in parallel."""

from uuid import UUID

import structlog
from celery import shared_task

from billing import credits, jobs, mails
from billing.ledger import ledger_proofs
from billing.purchases import auto_top_up
from billing.stripe import webhook_endpoint
from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync import billing_sweeper, stripe_setup, sync_queue
from genvid import database_clock

logger = structlog.get_logger(__name__)


@shared_task(name=jobs.EXPIRE_LOTS.name)
def expire_lots() -> None:
    credits.expire()


@shared_task(name=jobs.PURGE_STRIPE_INBOX.name)
def purge_stripe_inbox() -> None:
    webhook_endpoint.purge_expired(database_clock.now())


@shared_task(name=jobs.RUN_SYNC.name)
def run_sync(sync_id: str) -> None:
    sync_queue.run_sync(int(sync_id))


@shared_task(name=jobs.SEND_FORMER_MAIL.name)
def send_former_mail(_: str) -> None:
    mails.move_former_mails_to_outbox()


@shared_task(name=jobs.TOP_UP.name)
def top_up(top_up_id: str) -> None:
    auto_top_up.run_top_up(UUID(top_up_id))


@shared_task(name=jobs.PUSH_PLANS.name)
def push_plans() -> None:
    try:
        stripe_setup.set_up_stripe_if_changed()
    except BillingError as error:
        # A purchase of a changed plan pushes it too.
        logger.warning("plans_not_pushed", error=str(error))


@shared_task(name=jobs.SWEEP.name)
def sweep() -> None:
    billing_sweeper.sweep_all()


@shared_task(name=jobs.ADVANCE_PERIODS.name)
def advance_periods() -> None:
    billing_sweeper.advance_periods()


@shared_task(name=jobs.PROVE_LEDGER.name)
def prove_ledger() -> None:
    ledger_proofs.prove_ledger()


@shared_task(name=jobs.RECONCILE.name)
def reconcile() -> None:
    try:
        billing_sweeper.run_nightly()
    except BillingError as error:
        logger.warning("stripe_not_reconciled", error=str(error))


# The sandbox may start later than the worker.
@shared_task(name=jobs.SET_UP_STRIPE.name, autoretry_for=(BillingError,), retry_backoff=1, max_retries=10)
def set_up_stripe() -> None:
    stripe_setup.set_up_stripe()
