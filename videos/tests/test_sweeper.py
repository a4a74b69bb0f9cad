"""Which jobs are enqueued, so that many videos cost few messages and queries."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
from celery.fixups.django import DjangoWorkerFixup
from django.db import connection
from django.utils import timezone

from bench.orders import queue_videos
from billing.models import Tier
from genvid import coalescing
from genvid.celery import app, keep_database_connection
from genvid.heygen.heygen_types import WebhookNotice
from genvid.jobs import backlog, enqueue, enqueue_on_commit
from genvid.tests.factories import make_avatar, make_video, set_balance
from videos import jobs
from videos.enums import Status
from videos.models import OperatorAlarm, Video, WebhookDelivery
from videos.pipeline import incoming_webhooks, scheduler, sweeper
from videos.provider import provider_gate


def notice(number: int) -> WebhookNotice:
    return WebhookNotice(
        key=f"evt_{number}",
        event_type="avatar_video.success",
        video_id=f"remote_{number}",
        callback_id=None,
        created_at=timezone.now(),
        raw={},
    )


def test_the_backlog_of_a_task_is_the_length_of_its_queue():
    for _ in range(3):
        enqueue(jobs.STORE, "00000000-0000-0000-0000-000000000000")

    assert (backlog(jobs.STORE), backlog(jobs.PURGE), backlog(jobs.SUBMIT)) == (3, 3, 0)


def test_a_sweep_makes_no_long_queue_longer(pipeline, owner, woken):
    video = pipeline.reach_storing(pipeline.order(owner))
    for _ in range(sweeper.BATCH_SIZE):
        enqueue(jobs.STORE, str(video.pk))
    woken.clear()

    sweeper.enqueue_due()

    assert woken == []


def test_slots_that_come_free_together_enqueue_the_scheduler_once(
    db, woken, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(coalescing, "Timer", Mock())
    monkeypatch.setattr(coalescing, "monotonic", lambda: 1e6)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            enqueue_on_commit(jobs.DISPATCH)

    assert woken == [("videos.dispatch",)]


def test_the_scheduler_is_enqueued_for_free_slots_on_commit(db, woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        enqueue_on_commit(jobs.DISPATCH)
    assert (woken, len(callbacks)) == ([], 1)


def test_no_more_orders_go_out_in_a_second_than_heygen_answers(db, owner, settings, woken):
    settings.HEYGEN_MAX_CONCURRENT = 1000
    Tier.objects.update(max_in_flight=1000)
    set_balance(owner, 10_000)
    make_avatar(kind="studio_avatar")
    queue_videos([owner], 2 * provider_gate.MAX_ORDERS_PER_SECOND)

    first, second = (scheduler.hand_out_slots() for _ in range(2))
    Video.objects.filter(status=Status.SUBMITTING).update(submitted_at=timezone.now() - timedelta(seconds=1))

    assert (first, second, scheduler.hand_out_slots()) == (45, 0, 45)


def test_known_events_of_a_history_are_looked_up_in_one_query(owner, heygen_double, woken, monkeypatch):
    monkeypatch.setattr(incoming_webhooks, "DELIVERY_TIMEOUT", timedelta(0))
    make_video(owner, "rendering", provider_video_id="remote_3")
    for number in range(3):
        incoming_webhooks.store_delivery(notice(number))
    woken.clear()
    heygen_double.iter_events = lambda kind: iter([notice(number) for number in (3, 2, 1, 0)])

    missed = incoming_webhooks._store_missed("avatar_video.success", timezone.now() - timedelta(minutes=1))

    new = WebhookDelivery.objects.get(key="evt_3")
    assert (missed, woken) == (1, [("videos.work_off_delivery", str(new.pk))])


@pytest.mark.django_db(transaction=True)
class TestDatabaseConnection:
    @pytest.fixture
    def max_age(self, monkeypatch):
        """Sets CONN_MAX_AGE. It counts from the opening of a connection, so the next query opens a new one."""

        def set_to(seconds: float | None) -> None:
            monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", seconds)
            connection.close()

        return set_to

    def test_tasks_share_a_database_connection(self, max_age):
        max_age(None)
        Video.objects.exists()
        before = connection.connection

        DjangoWorkerFixup(app).close_database()
        keep_database_connection()
        Video.objects.exists()

        assert connection.connection is before

    def test_a_database_connection_that_is_too_old_is_replaced(self, max_age):
        max_age(0)
        Video.objects.exists()
        before = connection.connection

        keep_database_connection()
        Video.objects.exists()

        assert connection.connection is not before

    def test_a_broken_database_connection_is_replaced_before_the_next_task(self):
        Video.objects.exists()
        connection.connection.close()

        keep_database_connection()

        assert Video.objects.exists() is False


def deleted_for(owner, span: timedelta) -> Video:
    video = make_video(owner, Status.FAILED)
    Video.objects.filter(pk=video.pk).update(deleted_at=timezone.now() - span)
    return video


def test_the_sweep_purges_those_that_were_deleted_last_before_those_that_fail_again_and_again(
    owner, woken, monkeypatch
):
    monkeypatch.setattr(sweeper, "BATCH_SIZE", 1)
    deleted_for(owner, timedelta(days=1))
    latest = deleted_for(owner, timedelta(minutes=1))
    woken.clear()
    sweeper.enqueue_purges()
    assert woken == [("videos.purge", str(latest.pk))]


def test_staff_are_told_once_an_hour_of_deleted_videos_that_are_still_there(owner):
    deleted_for(owner, sweeper.PURGE_ALARM_AFTER + timedelta(minutes=1))
    deleted_for(owner, sweeper.PURGE_ALARM_AFTER - timedelta(minutes=1))
    for _ in range(2):
        sweeper.alarm_late_purges()
    alarm = OperatorAlarm.objects.get()
    assert (alarm.code, alarm.count, alarm.text.partition(" ")[0]) == ("video_removal_fails", 1, "1")
