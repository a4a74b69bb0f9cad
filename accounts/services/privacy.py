"""Sends exports and erasures that are due to the workers."""

from django.utils import timezone

from accounts import jobs
from accounts.models import Erasure, Export
from genvid.jobs import enqueue

BATCH = 100


def enqueue_due_steps() -> None:
    """Exports and erasures that are due: a first step whose message was lost, and each step that follows."""
    now = timezone.now()
    for model, job in ((Export, jobs.WORK_ON_EXPORT), (Erasure, jobs.WORK_ON_ERASURE)):
        for pk in model._default_manager.due(now).values_list("pk", flat=True)[:BATCH]:
            enqueue(job, str(pk))
