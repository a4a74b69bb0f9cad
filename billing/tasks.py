"""Background work of this room."""

from uuid import UUID

import structlog
from celery import shared_task
from django.utils import timezone

from billing.gateway import inbox
from billing.gateway.errors import BillingError

logger = structlog.get_logger(__name__)


@shared_task(name="billing.expire_lots")
def expire_lots() -> None:
    from billing import credits  # the allowed knot: services may import tasks

    credits.expire()


@shared_task(name="billing.purge_stripe_inbox")
def purge_stripe_inbox() -> None:
    now = timezone.now()
    inbox.purge_triggers(now)
    inbox.purge_events(now)


@shared_task(name="billing.look")
def look(nudge_id: str) -> None:
    from billing.services import nudges  # the allowed knot

    nudges.look(int(nudge_id))


@shared_task(name="billing.send_letter")
def send_letter(letter_id: str) -> None:
    from billing.services import letters  # the allowed knot

    letters.send(int(letter_id))


@shared_task(name="billing.top_up")
def top_up(top_up_id: str) -> None:
    from billing.services import topping_up  # the allowed knot

    topping_up.carry_out(UUID(top_up_id))


@shared_task(name="billing.push_plans")
def push_plans() -> None:
    from billing.services import opening_shop  # the allowed knot

    try:
        opening_shop.restock()
    except BillingError as error:
        # A purchase pushes its plan by itself.
        logger.warning("plans_not_pushed", error=str(error))


@shared_task(name="billing.sweep")
def sweep() -> None:
    """What the broker may have lost, and what the clock brings: seconds matter."""
    from billing.services import letters, nudges, running_low, topping_up  # the allowed knot

    nudges.sweep()
    letters.sweep()
    running_low.sweep()
    topping_up.sweep()


@shared_task(name="billing.keep_time")
def keep_time() -> None:
    """What the clock brings and minutes do not matter for: allowances, days of grace."""
    from billing.services import recording, subscribing  # the allowed knot

    recording.grant_due()
    subscribing.end_grace()


@shared_task(name="billing.reconcile")
def reconcile() -> None:
    from billing.services import letters, nudges, reconciling  # the allowed knot

    nudges.forget_old()
    letters.forget_old()
    try:
        reconciling.reconcile()
    except BillingError as error:
        logger.warning("stripe_not_reconciled", error=str(error))


@shared_task(name="billing.set_up_stripe", autoretry_for=(BillingError,), retry_backoff=1, max_retries=10)
def set_up_stripe() -> None:
    """The sandbox may start later than the worker."""
    from billing.services import opening_shop  # the allowed knot

    opening_shop.set_up()
