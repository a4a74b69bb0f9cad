"""Beat sends a message only where there is work, or where nobody can tell."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.models import Delivery
from genvid.beat import Scheduler, has_work
from genvid.celery import app
from genvid.mail.models import QueuedMail
from genvid.schedule import JOBS
from genvid.tests.asserts import queries_of
from genvid.tests.factories import make_avatar, make_endpoint, make_video
from videos.models import Video

ASKED = {
    "videos.dispatch": 1,
    "videos.poll": 1,
    "videos.probe_provider": 1,
    "accounts.sweep_deliveries": 3,
    "avatars.sweep_creations": 2,
    "genvid.mail.sweep": 1,
}
"""The jobs that beat asks about, with the statements of a look that finds nothing."""


@pytest.fixture
def sent_by_beat(tmp_path: Path, woken):
    """What beat sends when all of ASKED are due."""
    scheduler = Scheduler(app=app, schedule_filename=str(tmp_path / "schedule"), lazy=True)

    def tick() -> list[str]:
        woken.clear()
        for name in ASKED:
            scheduler.apply_entry(scheduler.Entry(**app.conf.beat_schedule[name], name=name, app=app))
        return [name for name, *_ in woken]

    return tick


def test_beat_uses_this_scheduler():
    assert app.conf.beat_scheduler == f"{Scheduler.__module__}:{Scheduler.__name__}"


def test_every_look_exists_and_belongs_to_a_scheduled_job():
    looks = {job.name: import_string(job.has_work) for job in JOBS if job.has_work}
    assert set(looks) == set(ASKED) <= set(app.conf.beat_schedule)
    assert all(callable(look) for look in looks.values())


@pytest.mark.django_db
def test_an_idle_installation_gets_no_messages(sent_by_beat):
    QueuedMail.objects.all().delete()
    assert sent_by_beat() == []


@pytest.mark.django_db
@pytest.mark.parametrize(("task", "statements"), ASKED.items())
def test_a_look_takes_few_statements(task, statements):
    assert queries_of(lambda: has_work(task)) == statements


@pytest.mark.django_db
def test_a_queued_video_is_dispatched(sent_by_beat, owner):
    make_video(owner)
    QueuedMail.objects.all().delete()
    assert sent_by_beat() == ["videos.dispatch"]


@pytest.mark.django_db
@pytest.mark.parametrize("is_test", [False, True])
@pytest.mark.parametrize(("due_in", "sent"), [(-1, ["videos.poll"]), (60, [])])
def test_renders_are_polled_once_they_are_due(sent_by_beat, owner, due_in, sent, is_test):
    make_video(owner, "rendering", due_at=timezone.now() + timedelta(seconds=due_in))
    Video.objects.update(is_test=is_test)
    QueuedMail.objects.all().delete()
    assert sent_by_beat() == sent


@pytest.mark.django_db
def test_an_order_that_waits_for_staff_wakes_nobody(owner):
    make_video(owner, set_aside_at=timezone.now())
    assert has_work("videos.dispatch") is False


@pytest.mark.django_db
def test_a_due_delivery_is_swept(sent_by_beat, owner):
    make_endpoint(owner)
    make_video(owner, avatar=make_avatar())
    Delivery.objects.update(next_attempt_at=timezone.now())
    assert "accounts.sweep_deliveries" in sent_by_beat()


@pytest.mark.django_db
def test_a_job_without_a_look_is_always_sent():
    assert has_work("videos.sweep") is True


@pytest.mark.django_db(transaction=True)
def test_a_message_is_sent_where_the_database_does_not_answer():
    assert has_work("videos.poll") is False
    connection.connection.close()
    assert [has_work("videos.poll") for _ in range(2)] == [True, False]


def test_beat_sleeps_until_an_entry_is_due_and_not_to_a_moment_before(tmp_path):
    scheduler = Scheduler(app=app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
    assert 5.0 <= scheduler.adjust(5.0) < 5.01
    assert (scheduler.adjust(0), scheduler.adjust(None)) == (0, None)
