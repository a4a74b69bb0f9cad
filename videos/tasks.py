"""Doormen: each fetches by id, calls one service, and may run twice, at any time, in parallel.

They import their services inside the function: services import this module to enqueue, the one permitted knot.
"""

import structlog
from celery import shared_task


@shared_task(name="videos.dispatch")
def dispatch() -> None:
    from videos.scheduler import hand_out_slots, hand_out_test_slots

    hand_out_slots()
    hand_out_test_slots()


@shared_task(name="videos.submit")
def submit(video_id: str) -> None:
    from videos.services.submitting import submit_video

    structlog.contextvars.bind_contextvars(video_id=video_id)
    submit_video(video_id)


@shared_task(name="videos.poll")
def poll() -> None:
    from videos.services.rendering import poll_due, poll_tests

    poll_due()
    poll_tests()


@shared_task(name="videos.read")
def read(video_id: str) -> None:
    from videos.services import rendering

    structlog.contextvars.bind_contextvars(video_id=video_id)
    rendering.read(video_id)


@shared_task(name="videos.backfill")
def backfill() -> None:
    from videos.services.deliveries import backfill_missed
    from videos.services.rendering import pull_forward

    backfill_missed()
    pull_forward()


@shared_task(name="videos.learn_paces")
def learn_paces() -> None:
    from videos import paces

    paces.learn()


@shared_task(name="videos.store")
def store(video_id: str) -> None:
    from videos.services.storing import store_video

    structlog.contextvars.bind_contextvars(video_id=video_id)
    store_video(video_id)


@shared_task(name="videos.work_off_delivery")
def work_off_delivery(delivery_id: str) -> None:
    from videos.services.deliveries import work_off

    work_off(int(delivery_id))


@shared_task(name="videos.purge")
def purge(video_id: str) -> None:
    from videos.services.deleting import purge_video

    structlog.contextvars.bind_contextvars(video_id=video_id)
    purge_video(video_id)


@shared_task(name="videos.alarm_staff")
def alarm_staff() -> None:
    from videos import alarms

    alarms.tell_staff()


@shared_task(name="videos.replace_file")
def replace_file(video_id: str) -> None:
    from videos.services import handmade

    structlog.contextvars.bind_contextvars(video_id=video_id)
    handmade.replace_file(video_id)


@shared_task(name="videos.sweep")
def sweep() -> None:
    from videos.services.sweeping import sweep_all

    sweep_all()


@shared_task(name="videos.register_webhook")
def register_webhook() -> None:
    from videos.services.registration import ensure_registered

    ensure_registered()


@shared_task(name="videos.cancel_batch")
def cancel_batch(batch_id: str) -> None:
    from videos.services.batching import cancel_rest

    cancel_rest(batch_id)


@shared_task(name="videos.retain")
def retain() -> None:
    from videos.services import retention

    retention.retain_all()


@shared_task(name="videos.delete_render")
def delete_render(video_id: str) -> None:
    from videos.services import retention

    structlog.contextvars.bind_contextvars(video_id=video_id)
    retention.delete_render(video_id)
