"""What happens by the clock. Read by the settings; one process of beat sends it all."""

from typing import Any

from celery.schedules import crontab
from environ import Env


def every(task: str, seconds: float) -> dict[str, Any]:
    """A tick that waited longer than its period is worthless: the next one does its work."""
    return {"task": task, "schedule": seconds, "options": {"expires": max(seconds, 2.0)}}


def schedule(env: Env) -> dict[str, dict[str, Any]]:
    """By task. The environment says how often where seconds matter."""
    return {
        "videos.dispatch": every("videos.dispatch", env.float("DISPATCH_SECONDS", default=1.0)),
        "videos.poll": every("videos.poll", env.float("POLL_SECONDS", default=1.0)),
        "videos.sweep": every("videos.sweep", env.float("SWEEP_SECONDS", default=5.0)),
        "videos.backfill": every("videos.backfill", env.float("BACKFILL_SECONDS", default=60.0)),
        "videos.learn_paces": every("videos.learn_paces", env.float("LEARN_SECONDS", default=60.0)),
        "videos.retain": every("videos.retain", env.float("RETENTION_SECONDS", default=300.0)),
        "avatars.sync_when_empty": every("avatars.sync_when_empty", 15.0),
        "avatars.sync": {"task": "avatars.sync", "schedule": crontab(hour="3", minute="17")},
        "billing.expire_lots": {"task": "billing.expire_lots", "schedule": crontab(minute="11")},
        "billing.sweep": every("billing.sweep", env.float("BILLING_SWEEP_SECONDS", default=5.0)),
        "billing.keep_time": every("billing.keep_time", env.float("BILLING_CLOCK_SECONDS", default=300.0)),
        "billing.reconcile": {"task": "billing.reconcile", "schedule": crontab(hour="2", minute="37")},
        "billing.purge_stripe_inbox": {
            "task": "billing.purge_stripe_inbox",
            "schedule": crontab(hour="4", minute="41"),
        },
        "genvid.prune_embedded_broker": {"task": "genvid.prune_embedded_broker", "schedule": crontab(minute="*/10")},
        "accounts.sweep_deliveries": every(
            "accounts.sweep_deliveries", env.float("WEBHOOK_SWEEP_SECONDS", default=2.0)
        ),
        "accounts.sweep_privacy": every("accounts.sweep_privacy", env.float("PRIVACY_SWEEP_SECONDS", default=10.0)),
        "accounts.purge": {"task": "accounts.purge", "schedule": crontab(hour="4", minute="23")},
    }
