"""Background work of this room."""

from celery import shared_task


@shared_task(name="billing.expire_lots")
def expire_lots() -> None:
    from billing import credits  # the allowed knot: services may import tasks

    credits.expire()
