"""Background work of this room."""

from celery import shared_task


@shared_task(name="avatars.sync")
def sync() -> None:
    from avatars.services import sync_catalogue  # the allowed knot: services may import tasks
    from genvid.heygen.client import get_client

    sync_catalogue(get_client())


@shared_task(name="avatars.sync_when_empty")
def sync_when_empty() -> None:
    """A new installation fills its catalogue by itself, as soon as a worker and the provider are there."""
    from avatars.models import Avatar

    if not Avatar.objects.exists():
        sync()
