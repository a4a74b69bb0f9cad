"""Sends exports and erasures that are due to the workers."""

from accounts import jobs
from accounts.models import Erasure, Export
from genvid.leasing import sweep

BATCH = 100


def enqueue_due_steps() -> None:
    """Exports and erasures that are due: a first step whose message was lost, and each step that follows."""
    sweep(Export.objects.due(), jobs.WORK_ON_EXPORT, most=BATCH)
    sweep(Erasure.objects.due(), jobs.WORK_ON_ERASURE, most=BATCH)
