"""Jobs without a broker: run in place, or looked up as a worker finds them."""

from functools import cache
from typing import Any

from celery import Task, current_app

from genvid.jobs import Job


@cache
def registered_tasks() -> dict[str, "Task[Any, Any]"]:
    """The tasks that a worker discovers, by name; Celery's own are left out, and those of the bench."""
    current_app.autodiscover_tasks(force=True)
    return {name: task for name, task in current_app.tasks.items() if not name.startswith(("celery.", "naive."))}


def run_job(job: Job, *ids: str) -> Any:
    """What a worker does with one message of `job`, in the caller's transaction. Raises what the task raises."""
    return registered_tasks()[job.name](*ids)
