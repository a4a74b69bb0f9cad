"""Celery tasks of the catalogue. Each calls one service and may run twice, at any time, in parallel."""

import structlog
from celery import shared_task

from avatars import jobs
from avatars.catalogue_sync import fill_empty_catalogue, sync_catalogue
from avatars.own import orphans, work
from avatars.uploads import removal
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import HeyGenError

logger = structlog.get_logger(__name__)


@shared_task(name=jobs.SYNC.name)
def sync() -> None:
    sync_catalogue(get_client())


@shared_task(name=jobs.SYNC_WHEN_EMPTY.name)
def sync_when_empty() -> None:
    try:
        fill_empty_catalogue(get_client())
    except HeyGenError as error:
        # The next run tries again: HeyGen may be unreachable at our start.
        logger.warning("catalogue_still_empty", error=str(error))


@shared_task(name=jobs.WORK_ON_CREATION.name)
def work_on_creation(creation_id: str) -> None:
    work.work_on(creation_id)


@shared_task(name=jobs.SWEEP_CREATIONS.name)
def sweep_creations() -> None:
    work.sweep_creations()


@shared_task(name=jobs.REMOVE_ORPHANS.name)
def remove_orphans() -> None:
    orphans.remove_orphans()


@shared_task(name=jobs.WORK_ON_UPLOAD.name)
def work_on_upload(upload_id: str) -> None:
    removal.work_on(upload_id)


@shared_task(name=jobs.SWEEP_UPLOADS.name)
def sweep_uploads() -> None:
    removal.sweep_uploads()
