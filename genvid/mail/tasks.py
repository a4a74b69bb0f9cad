"""Tasks of the mail outbox. Each may run twice, at any time, in parallel."""

from celery import shared_task

from genvid.mail import delivery, jobs, outbox


@shared_task(name=jobs.SEND.name)
def send(mail_id: str) -> None:
    delivery.send(int(mail_id))


@shared_task(name=jobs.SWEEP.name)
def sweep() -> None:
    delivery.sweep()


@shared_task(name=jobs.PRUNE.name)
def prune() -> None:
    outbox.prune()
