"""Background work of this room."""

from celery import shared_task
from django.utils import timezone

from billing.gateway import inbox


@shared_task(name="billing.expire_lots")
def expire_lots() -> None:
    from billing import credits  # the allowed knot: services may import tasks

    credits.expire()


@shared_task(name="billing.purge_stripe_inbox")
def purge_stripe_inbox() -> None:
    now = timezone.now()
    inbox.purge_triggers(now)
    inbox.purge_events(now)
