import hashlib
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from genvid.tests.factories import make_caller
from videos.enums import Status
from videos.media import mp4
from videos.models import Video
from videos.pipeline import scheduler, storage, submission
from videos.tests.pipeline import Money, Pipeline, fresh, history, money_of

QUICKLY_SAID = "1984 1984 1984 1984"
"""Its digits make the estimate several credits higher than the charge."""


def stored_bytes(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()


def test_a_video_is_queued_with_its_credits_held(pipeline, owner):
    video = pipeline.order(owner)

    assert video.status == Status.QUEUED
    assert money_of(owner) == Money(balance=30, held=video.credits_held, holds=1)
    assert pipeline.remote_renders(video) == []


def test_a_video_is_made_once_and_charged_by_its_real_length(pipeline, owner):
    ordered = pipeline.order(owner, QUICKLY_SAID)
    video = pipeline.run(ordered)

    with default_storage.open(video.file.name) as file:
        real = mp4.inspect(file, video.file_bytes).duration_seconds
    assert video.duration_seconds == real
    assert ordered.credits_held > ordered.estimated_seconds > math.ceil(real) + 3
    assert video.credits_charged == math.ceil(real)
    assert video.credits_held == 0
    assert money_of(owner) == Money(balance=30 - math.ceil(real), charges=1)
    assert pipeline.remote_render(video)["creates"] == 1


def test_the_history_of_a_completed_video_is_exact(pipeline, owner):
    video = pipeline.run(pipeline.order(owner))

    assert history(video) == [
        ("", "draft", "created"),
        ("draft", "queued", "accepted"),
        ("queued", "submitting", "slot"),
        ("submitting", "rendering", "accepted_by_provider"),
        ("rendering", "storing", "rendered"),
        ("storing", "completed", "stored"),
    ]


def test_a_completed_video_has_no_due_time_and_no_deadline(pipeline, owner):
    video = pipeline.run(pipeline.order(owner))

    assert (video.due_at, video.deadline_at, video.waiting_reason, video.tries) == (None, None, "", 0)
    assert video.completed_at is not None


def test_the_stored_file_is_the_one_that_was_rendered(pipeline, owner):
    video = pipeline.reach_storing(pipeline.order(owner))
    rendered = pipeline.file_at_provider(video, "video.mp4").read_bytes()

    video = pipeline.store(video)

    stored = stored_bytes(video.file.name)
    assert stored == rendered
    assert video.file_bytes == len(stored)
    assert video.file_sha256 == hashlib.sha256(stored).hexdigest()


def test_thumbnail_and_captions_are_stored_beside_the_video(pipeline, owner):
    video = pipeline.run(pipeline.order(owner))

    assert stored_bytes(video.thumbnail.name).startswith(b"\xff\xd8\xff")
    assert stored_bytes(video.subtitles.name).startswith(b"1\n00:00:0")
    assert b"Hello and welcome" in stored_bytes(video.subtitles.name)


def test_a_video_with_burned_captions_stores_the_captioned_file(pipeline, owner):
    plain = pipeline.run(pipeline.order(owner))
    burned = pipeline.run(pipeline.order(owner, captions=True))

    captioned = pipeline.file_at_provider(burned, "captioned.mp4").read_bytes()
    assert stored_bytes(burned.file.name) == captioned
    assert burned.file_sha256 != plain.file_sha256
    assert money_of(owner).charges == 2


def test_the_order_at_heygen_has_the_fields_of_the_request(pipeline, owner):
    video = pipeline.submit(pipeline.order(owner, script="One two three."))

    remote = pipeline.remote_render(video)
    assert remote["id"] == video.provider_video_id
    assert remote["script"] == "One two three."
    assert remote["title"] == f"genvid {video.pk} 1"
    assert remote["idempotency_key"] == video.idempotency_key


def test_the_oldest_queued_video_is_claimed_first(pipeline, owner, outsider, settings):
    settings.HEYGEN_MAX_CONCURRENT = 2
    first, second, third = pipeline.order(owner), pipeline.order(outsider), pipeline.order(owner)

    assert pipeline.dispatch() == 2

    assert [fresh(each).status for each in (first, second, third)] == ["submitting", "submitting", "queued"]


def test_a_free_slot_goes_to_the_next_queued_video(pipeline, owner, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    first, second = pipeline.order(owner), pipeline.order(owner)
    pipeline.reach_storing(first)

    pipeline.dispatch()

    assert (fresh(first).status, fresh(second).status) == ("storing", "submitting")


def test_a_requeued_video_keeps_its_queue_position(pipeline, owner, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    first, second = pipeline.order(owner, "[[ratelimit:1]] Hello there."), pipeline.order(owner)
    pipeline.submit(first)
    pipeline.end_gate_wait()

    pipeline.dispatch()

    assert (fresh(first).status, fresh(second).status) == ("submitting", "queued")


def test_no_video_is_ordered_without_a_heygen_key(pipeline, owner, settings):
    settings.HEYGEN_API_KEY = ""
    video = pipeline.order(owner)

    assert pipeline.dispatch() == 0
    assert fresh(video).status == Status.QUEUED


@pytest.mark.django_db(transaction=True)
def test_four_schedulers_at_once_never_exceed_the_limit(sandbox, settings):
    settings.HEYGEN_MAX_CONCURRENT = 3
    pipeline, person = Pipeline(sandbox), make_caller(balance=100)
    for _ in range(8):
        pipeline.order(person)

    def hand_out(_: int) -> int:
        try:
            return scheduler.hand_out_slots()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        claimed = list(threads.map(hand_out, range(12)))

    assert sum(claimed) == 3
    assert Video.objects.in_flight().count() == 3
    keys = Video.objects.in_flight().values_list("idempotency_key", flat=True)
    assert len(set(keys)) == 3
    assert money_of(person).holds == 8


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_one_order_make_one_video(sandbox):
    pipeline, person = Pipeline(sandbox), make_caller()
    video = pipeline.order(person)
    pipeline.dispatch()

    def submit(_: int) -> None:
        try:
            submission.submit_video(str(video.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(submit, range(4)))

    assert fresh(video).status == Status.RENDERING
    assert (pipeline.remote_render(video)["creates"], fresh(video).calls) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_one_download_charge_once(sandbox):
    pipeline, person = Pipeline(sandbox), make_caller()
    video = pipeline.reach_storing(pipeline.order(person))

    def store(_: int) -> None:
        try:
            # Each believes that the lease has run out.
            pipeline.make_due(video)
            storage.store_video(str(video.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(store, range(3)))

    assert fresh(video).status == Status.COMPLETED
    assert money_of(person) == Money(balance=30 - fresh(video).credits_charged, charges=1)
    assert hashlib.sha256(stored_bytes(fresh(video).file.name)).hexdigest() == fresh(video).file_sha256
