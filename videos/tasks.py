"""Celery tasks of the pipeline. Each calls one service and may run twice, at any time, in parallel."""

from celery import shared_task

from videos import jobs, operator_alarms
from videos.batches import batch_actions
from videos.lifecycle import deletion, retention
from videos.listening import speaking
from videos.pipeline import incoming_webhooks, overdue, polling, scheduler, storage, submission, sweeper
from videos.provider import balances, outages, provider_alarms, webhook_registration
from videos.queue import queue_snapshot, render_times


@shared_task(name=jobs.DISPATCH.name)
def dispatch() -> None:
    scheduler.hand_out_all_slots()


@shared_task(name=jobs.REFRESH_QUEUE.name)
def refresh_queue() -> None:
    queue_snapshot.refresh_if_changed()


@shared_task(name=jobs.SUBMIT.name)
def submit(*video_ids: str) -> None:
    submission.submit_videos(video_ids)


@shared_task(name=jobs.SPEAK.name)
def speak(speech_id: str) -> None:
    speaking.speak(speech_id)


@shared_task(name=jobs.POLL.name)
def poll() -> None:
    polling.poll_all()


@shared_task(name=jobs.READ.name)
def read(video_id: str) -> None:
    polling.read_video(video_id)


@shared_task(name=jobs.BACKFILL.name)
def backfill() -> None:
    incoming_webhooks.backfill_deliveries()


@shared_task(name=jobs.LEARN_RENDER_TIMES.name)
def learn_render_times() -> None:
    render_times.learn_render_times()


@shared_task(name=jobs.STORE.name)
def store(video_id: str) -> None:
    storage.store_video(video_id)


@shared_task(name=jobs.PROCESS_DELIVERY.name)
def process_delivery(delivery_id: str) -> None:
    incoming_webhooks.process_delivery(int(delivery_id))


@shared_task(name=jobs.PURGE.name)
def purge(video_id: str) -> None:
    deletion.purge_video(video_id)


@shared_task(name=jobs.ALARM_STAFF.name)
def alarm_staff() -> None:
    provider_alarms.mail_staff_changes()
    operator_alarms.mail_alarms()


@shared_task(name=jobs.REPLACE_FILE.name)
def replace_file(video_id: str) -> None:
    storage.replace_file(video_id)


@shared_task(name=jobs.SWEEP.name)
def sweep() -> None:
    sweeper.sweep_all()


@shared_task(name=jobs.END_OVERDUE.name)
def end_overdue() -> None:
    overdue.end_all_overdue()


@shared_task(name=jobs.PROBE_PROVIDER.name)
def probe_provider() -> None:
    outages.probe()


@shared_task(name=jobs.READ_BALANCE.name)
def read_balance() -> None:
    balances.read_balance()


@shared_task(name=jobs.REGISTER_WEBHOOK.name)
def register_webhook() -> None:
    webhook_registration.ensure_registered()


@shared_task(name=jobs.CANCEL_BATCH.name)
def cancel_batch(batch_id: str) -> None:
    batch_actions.cancel_remaining(batch_id)


@shared_task(name=jobs.RETAIN.name)
def retain() -> None:
    retention.apply_retention()


@shared_task(name=jobs.DELETE_RENDER.name)
def delete_render(video_id: str) -> None:
    retention.delete_expired_render(video_id)
