"""Enqueues due steps of exports and erasures: first steps whose message was lost, and each following step."""

from accounts import jobs
from accounts.models import Erasure, Export
from genvid.leasing import sweep

BATCH = 100


def enqueue_due_steps() -> None:
    sweep(Export.objects.due(), jobs.WORK_ON_EXPORT, most=BATCH)
    sweep(Erasure.objects.due(), jobs.WORK_ON_ERASURE, most=BATCH)
