"""Progress, completion and cancellation of a batch."""

from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.utils import timezone

from accounts.models import OutgoingEvent
from genvid.tests.asserts import data_of, nothing_changes, queries_of, queries_once_warm, refusal_of, the_ledger_proves
from genvid.tests.factories import make_avatar, make_caller, make_endpoint, make_key, make_video, set_balance
from genvid.tests.parallel import in_parallel
from videos.batches import batch_actions
from videos.enums import Status
from videos.models import Batch, Video, VideoEvent
from videos.pipeline import scheduler, sweeper
from videos.queue import estimates
from videos.tests.batches import BATCHES, counts, fail_video, make_batch, payload_for, shown, videos_of
from videos.tests.pipeline import fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def payload(avatar) -> dict:
    return payload_for(avatar)


def test_counts_and_credits_of_a_batch_follow_its_videos(owner, payload):
    batch = make_batch(owner, payload)
    first, second, _ = videos_of(batch)
    given_back = first.credits_held
    fail_video(first)
    second.move(Status.SUBMITTING, reason="test", submitted_at=timezone.now())
    data = shown(owner, batch)
    assert (data["status"], data["counts"]) == ("processing", counts(queued=1, processing=1, failed=1))
    assert data["credits"]["held"] == batch.credits_quoted - given_back
    assert data["progress_percent"] == 33


def fresh_batch(batch) -> Batch:
    return Batch.objects.get(pk=batch.pk)


def test_a_batch_is_completed_when_all_its_videos_have_ended(owner, payload):
    batch = make_batch(owner, payload)
    for video in videos_of(batch):
        fail_video(video)
    data = shown(owner, batch)
    assert (data["status"], data["progress_percent"], data["counts"]) == ("completed", 100, counts(failed=3))
    assert data["completed_at"] is not None
    assert data["credits"] == {"quoted": batch.credits_quoted, "held": 0, "charged": 0}


@pytest.mark.django_db(transaction=True)
def test_a_batch_whose_two_last_videos_end_at_once_is_closed_once():
    person = make_caller()
    wanted = make_video(person, "draft")
    batch = make_batch(person, {"script": "Hi {{n}}", "avatar_id": str(wanted.avatar_id), "rows": [{"n": "Ada"}] * 8})
    make_endpoint(person, "batch.completed", "video.failed")
    in_parallel([partial(fail_video, video) for video in videos_of(batch)])
    batch.refresh_from_db()
    assert (batch.open, batch.completed_at is not None, the_ledger_proves()) == (0, True, True)
    events = OutgoingEvent.objects.values_list("type", flat=True)
    assert sorted(events) == ["batch.completed"] + ["video.failed"] * 8


def test_the_event_of_a_finished_batch_follows_the_event_of_its_last_video(owner, payload):
    make_endpoint(owner, "batch.completed", "video.failed")
    for video in videos_of(make_batch(owner, payload)):
        fail_video(video)
    events = OutgoingEvent.objects.order_by("created_at").values_list("type", flat=True)
    assert list(events) == ["video.failed"] * 3 + ["batch.completed"]


def test_the_progress_of_a_batch_is_the_mean_over_its_videos(owner, payload):
    batch = make_batch(owner, payload)
    first, second, third = videos_of(batch)
    fail_video(first)
    second.move(Status.SUBMITTING, reason="test", submitted_at=timezone.now() - timedelta(seconds=40))
    Video.objects.filter(pk=third.pk).update(progress_floor=20)
    with time_machine.travel(timezone.now(), tick=False):
        parts = [100, estimates.progress_percent(fresh(second)), 20]
        assert shown(owner, batch)["progress_percent"] == sum(parts) // 3
    assert parts[1] > 1


def test_a_longer_list_of_batches_takes_no_more_queries(owner, payload):
    set_balance(owner, 1000)
    make_batch(owner, payload)
    with_one = queries_once_warm(lambda: data_of(owner.client.get(BATCHES)))
    make_batch(owner, payload)
    make_batch(owner, payload)
    assert queries_once_warm(lambda: data_of(owner.client.get(BATCHES))) == with_one == 2


def test_canceling_a_batch_cancels_its_queued_videos_and_leaves_the_others(owner, payload):
    batch = make_batch(owner, payload)
    first, *_ = videos_of(batch)
    first.move(Status.SUBMITTING, reason="test", submitted_at=timezone.now())
    data = data_of(owner.client.post(f"{BATCHES}/{batch.pk}/cancel"))
    assert (data["status"], data["counts"]) == ("processing", counts(processing=1, canceled=2))
    assert (owner.wallet.held, the_ledger_proves()) == (first.credits_held, True)
    fail_video(fresh(first))
    assert shown(owner, batch)["status"] == "canceled"


def test_each_canceled_video_of_a_batch_has_its_history_and_its_credits_back(owner, payload):
    program = make_key(owner)
    batch = make_batch(program, payload)
    data_of(program.client.post(f"{BATCHES}/{batch.pk}/cancel"))
    program.key.refresh_from_db()
    held = {video.credits_held for video in videos_of(batch)}
    assert (held, owner.wallet.held, program.key.credits_used, the_ledger_proves()) == ({0}, 0, 0, True)
    moves = VideoEvent.objects.filter(to_status="canceled").values_list("from_status", "reason")
    assert list(moves) == [("queued", "batch_canceled")] * 3


def test_the_cancellation_of_a_batch_sends_one_event(owner, payload):
    make_endpoint(owner, "batch.completed", "video.canceled")
    batch = make_batch(owner, payload)
    data_of(owner.client.post(f"{BATCHES}/{batch.pk}/cancel"))
    events = OutgoingEvent.objects.order_by("created_at").values_list("type", flat=True)
    assert list(events) == ["video.canceled"] * 3 + ["batch.completed"]


@pytest.mark.django_db(transaction=True)
def test_a_batch_can_be_canceled_while_slots_are_handed_out(settings):
    settings.HEYGEN_API_KEY, settings.HEYGEN_MAX_CONCURRENT = "key", 4
    person = make_caller(balance=200)
    batch = make_batch(person, payload_for(make_avatar()), rows=[{"name": "Ada"}] * 20)
    in_parallel(
        [lambda: batch_actions.cancel_batch(batch), scheduler.hand_out_slots, lambda: batch_actions.cancel_batch(batch)]
    )
    batch_actions.cancel_remaining(str(batch.pk))
    statuses = Counter(video.status for video in videos_of(batch))
    assert statuses["submitting"] + statuses["canceled"] == 20
    assert (fresh_batch(batch).open, the_ledger_proves()) == (statuses["submitting"], True)


def test_canceling_a_longer_batch_takes_few_more_queries(owner, payload):
    set_balance(owner, 1000)
    few, many = (make_batch(owner, payload, rows=[{"name": "Ada"}] * count) for count in (10, 20))
    cost = [queries_of(lambda batch=batch: batch_actions.cancel_batch(batch)) for batch in (few, many)]
    assert cost[1] - cost[0] <= 4 * 10


def test_canceling_a_batch_twice_is_the_same_as_once(owner, payload):
    batch = make_batch(owner, payload)
    first, *_ = videos_of(batch)
    first.move(Status.SUBMITTING, reason="test", submitted_at=timezone.now())
    once, again = (data_of(owner.client.post(f"{BATCHES}/{batch.pk}/cancel")) for _ in range(2))
    assert (once, once["counts"]) == (again, counts(processing=1, canceled=2))


def test_an_ended_batch_cannot_be_canceled(owner, payload):
    batch = make_batch(owner, payload)
    for video in videos_of(batch):
        fail_video(video)
    with nothing_changes():
        assert refusal_of(owner.client.post(f"{BATCHES}/{batch.pk}/cancel")) == (409, "invalid_state")


def test_the_rest_of_a_long_batch_is_canceled_by_a_worker(owner, payload, monkeypatch, woken):
    monkeypatch.setattr(batch_actions, "CANCEL_BATCH_SIZE", 2)
    batch = make_batch(owner, payload)
    assert data_of(owner.client.post(f"{BATCHES}/{batch.pk}/cancel"))["counts"] == counts(queued=1, canceled=2)
    assert ("videos.cancel_batch", str(batch.pk)) in woken
    batch_actions.cancel_remaining(str(batch.pk))
    assert shown(owner, batch)["counts"] == counts(canceled=3)


def test_the_sweep_completes_a_batch_cancellation_that_died_half_way(owner, payload, monkeypatch, woken):
    monkeypatch.setattr(batch_actions, "CANCEL_BATCH_SIZE", 2)
    batch = make_batch(owner, payload)
    data_of(owner.client.post(f"{BATCHES}/{batch.pk}/cancel"))
    woken.clear()
    Batch.objects.update(canceled_at=timezone.now() - 2 * sweeper.CANCEL_AFTER)
    sweeper.enqueue_cancellations()
    assert woken == [("videos.cancel_batch", str(batch.pk))]
