"""The jobs of the installation: queues and beat entries. Used by the settings."""

from typing import Any

from celery.schedules import crontab
from kombu import Exchange, Queue

from accounts import jobs as accounts_jobs
from avatars import jobs as avatars_jobs
from billing import jobs as billing_jobs
from genvid import jobs as base_jobs
from genvid.configuration import DeclaredEnv
from genvid.jobs import DEFAULT_QUEUE, Job, jobs_in
from genvid.mail import jobs as mail_jobs
from videos import jobs as videos_jobs

JOBS = tuple(jobs_in(base_jobs, mail_jobs, accounts_jobs, avatars_jobs, billing_jobs, videos_jobs))


def queues() -> list[Queue]:
    others = sorted({job.queue for job in JOBS} - {DEFAULT_QUEUE})
    return [Queue(name, Exchange(name), routing_key=name) for name in (DEFAULT_QUEUE, *others)]


def routes() -> dict[str, dict[str, str]]:
    return {job.name: {"queue": job.queue} for job in JOBS}


def schedule(env: DeclaredEnv) -> dict[str, dict[str, Any]]:
    entries = (
        _every(env.float("HEARTBEAT_SECONDS"), base_jobs.HEARTBEAT),
        _every(env.float("DISPATCH_SECONDS"), videos_jobs.DISPATCH),
        _every(1.0, videos_jobs.REFRESH_QUEUE),
        _every(env.float("POLL_SECONDS"), videos_jobs.POLL),
        _every(env.float("SWEEP_SECONDS"), videos_jobs.SWEEP),
        _every(5.0, videos_jobs.PROBE_PROVIDER),
        _every(env.float("HEYGEN_BALANCE_SECONDS"), videos_jobs.READ_BALANCE),
        _every(env.float("BACKFILL_SECONDS"), videos_jobs.BACKFILL),
        _every(env.float("LEARN_SECONDS"), videos_jobs.LEARN_RENDER_TIMES),
        _every(env.float("RETENTION_SECONDS"), videos_jobs.RETAIN),
        _every(15.0, avatars_jobs.SYNC_WHEN_EMPTY),
        _daily(3, 17, avatars_jobs.SYNC),
        _every(env.float("SWEEP_SECONDS"), avatars_jobs.SWEEP_CREATIONS),
        _daily(3, 47, avatars_jobs.REMOVE_ORPHANS),
        _every(env.float("UPLOAD_SWEEP_SECONDS"), avatars_jobs.SWEEP_UPLOADS),
        _at(crontab(minute="11"), billing_jobs.EXPIRE_LOTS),
        _every(env.float("BILLING_SWEEP_SECONDS"), billing_jobs.SWEEP),
        _every(env.float("BILLING_CLOCK_SECONDS"), billing_jobs.ADVANCE_PERIODS),
        _daily(2, 37, billing_jobs.RECONCILE),
        _daily(3, 7, billing_jobs.PROVE_LEDGER),
        _daily(4, 41, billing_jobs.PURGE_STRIPE_INBOX),
        _daily(5, 7, base_jobs.EXAMINE_NEIGHBOURS),
        _daily(4, 3, base_jobs.PRUNE),
        _at(crontab(minute="*/10"), base_jobs.PRUNE_EMBEDDED_BROKER),
        _every(env.float("WEBHOOK_SWEEP_SECONDS"), accounts_jobs.SWEEP_DELIVERIES),
        _every(env.float("PRIVACY_SWEEP_SECONDS"), accounts_jobs.SWEEP_PRIVACY),
        _daily(4, 23, accounts_jobs.PURGE),
        _every(env.float("MAIL_SWEEP_SECONDS"), mail_jobs.SWEEP),
        _daily(4, 33, mail_jobs.PRUNE),
    )
    return {entry["task"]: entry for entry in entries}


def _every(seconds: float, job: Job) -> dict[str, Any]:
    """Without an expiry: `genvid.ticks` says why, and what is done instead."""
    return {"task": job.name, "schedule": seconds}


def _daily(hour: int, minute: int, job: Job) -> dict[str, Any]:
    return _at(crontab(hour=str(hour), minute=str(minute)), job)


def _at(times: crontab, job: Job) -> dict[str, Any]:
    return {"task": job.name, "schedule": times}
