"""Background work of this room."""

import structlog
from celery import shared_task

logger = structlog.get_logger(__name__)


@shared_task(name="avatars.sync")
def sync() -> None:
    from avatars.services import sync_catalogue  # the allowed knot: services may import tasks
    from genvid.heygen.client import get_client

    sync_catalogue(get_client())


@shared_task(name="avatars.sync_when_empty")
def sync_when_empty() -> None:
    """A new installation fills its catalogue by itself, as soon as a worker and the provider are there."""
    from avatars.models import Avatar
    from genvid.heygen.errors import HeyGenError

    if Avatar.objects.exists():
        return
    try:
        sync()
    except HeyGenError as error:
        # The next tick tries again: the provider may start after us.
        logger.warning("catalogue_still_empty", error=str(error))
