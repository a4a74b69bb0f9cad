"""Statements, transactions and messages of slots and orders: the same for one video and for a hundred."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import Tier
from genvid.heygen.heygen_errors import Busy, Refused, Unknown
from genvid.heygen.heygen_types import Submission
from genvid.tests.factories import make_avatar, make_caller, make_endpoint, make_video, set_balance
from videos.enums import Status
from videos.models import ProviderState, Video, VideoEvent
from videos.pipeline import scheduler, slot_claims, submission
from videos.provider import provider_gate
from videos.queue import queue_positions, render_times
from videos.tests.pipeline import fresh, gate, history
from videos.tests.test_scheduler import queue_many

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def many_slots(settings, monkeypatch):
    monkeypatch.setattr(provider_gate, "MAX_ORDERS_PER_SECOND", 1000)
    settings.HEYGEN_MAX_CONCURRENT = 1000
    Tier.objects.update(max_in_flight=1000)
    gate()


@pytest.fixture
def avatar():
    return make_avatar()


def queue(count: int, avatar, accounts: int = 1) -> None:
    for _ in range(accounts):
        queue_many(make_caller(), avatar, count // accounts)


# ── Slots

HAND_OUT = ["SELECT", "SELECT", "SELECT", "SELECT", "SELECT", "SELECT", "WITH", "INSERT", "SELECT"]
"""Whether anything waits, the gate's lock, what is in flight; queues, plans, recent renders; the claim, its history,
who subscribes to it."""


def kinds_of(action) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        action()
    kinds = [query["sql"].split()[0] for query in captured.captured_queries]
    return [kind for kind in kinds if kind not in ("SAVEPOINT", "RELEASE")]


@pytest.mark.parametrize(("count", "accounts"), [(1, 1), (100, 1), (100, 20)])
def test_a_claim_of_many_videos_takes_as_many_statements_as_one(avatar, count, accounts):
    queue(count, avatar, accounts)
    # So that the plans are remembered, however slow this machine is.
    queue_positions.account_queues()
    assert kinds_of(scheduler.hand_out_slots) == HAND_OUT
    assert Video.objects.filter(status=Status.SUBMITTING).count() == count


def test_a_scheduler_that_finds_nothing_sends_one_statement():
    assert kinds_of(scheduler.hand_out_slots) == ["SELECT"]


def test_a_scheduler_that_finds_no_free_slot_counts_no_queues(avatar, settings):
    queue(1, avatar)
    settings.HEYGEN_MAX_CONCURRENT = 0
    assert kinds_of(scheduler.hand_out_slots) == ["SELECT"] * 3


def test_the_orders_of_a_claim_go_out_in_messages_of_twenty(avatar, woken, django_capture_on_commit_callbacks):
    queue(45, avatar)
    with django_capture_on_commit_callbacks(execute=True):
        scheduler.hand_out_slots()
    assert [(name, len(ids)) for name, *ids in woken] == [("videos.submit", size) for size in (20, 20, 5)]
    assert len({pk for _, *ids in woken for pk in ids}) == 45


def test_each_claimed_video_has_its_own_key_and_row_of_history(avatar):
    queue(30, avatar)
    Video.objects.update(attempt=2, calls=3, tries=1, waiting_reason="busy")
    scheduler.hand_out_slots()

    videos = Video.objects.all()
    assert {(v.status, v.attempt, v.calls, v.tries, v.waiting_reason) for v in videos} == {("submitting", 3, 0, 0, "")}
    assert all(video.idempotency_key.startswith(f"{video.pk}.3.") for video in videos)
    assert [history(video)[-1] for video in videos] == [("queued", "submitting", "slot")] * 30


def test_each_account_gets_its_oldest_videos(avatar):
    few, many = make_caller(), make_caller()
    for person in (few, many):
        queue_many(person, avatar, 5)
    claimed = slot_claims.claim_oldest({few.account.pk: 1, many.account.pk: 3})

    assert Counter(video.account_id for video in claimed) == {few.account.pk: 1, many.account.pk: 3}
    for person in (few, many):
        mine = Video.objects.filter(account=person.account).order_by("queued_at", "id")
        statuses = [video.status for video in mine]
        assert statuses == sorted(statuses, reverse=True)


def test_an_engine_without_skipped_locks_claims_the_same_videos(avatar, monkeypatch):
    for feature in ("has_select_for_update", "has_select_for_update_skip_locked"):
        monkeypatch.setattr(type(connection.features), feature, False)
    queue(30, avatar, accounts=3)
    assert scheduler.hand_out_slots() == 30

    videos = Video.objects.all()
    assert all(video.idempotency_key.startswith(f"{video.pk}.1.") for video in videos)
    assert [history(video)[-1] for video in videos] == [("queued", "submitting", "slot")] * 30


def test_a_claim_is_published_to_accounts_with_an_endpoint_alone(avatar):
    told, other = make_caller(), make_caller()
    make_endpoint(told)
    for person in (told, other):
        queue_many(person, avatar, 2)
    scheduler.hand_out_slots()
    events = told.account.outgoing_events.filter(type="video.processing")
    assert {event.object_id for event in events} == {str(v.pk) for v in Video.objects.filter(account=told.account)}


# ── Orders


class Orders:
    """HeyGen's answers to orders, by the id of our video; `waiting` otherwise."""

    def __init__(self, heygen_double) -> None:
        self.keys: dict[str, str] = {}
        self.threads: set[str] = set()
        self.says: dict[str, Exception | str] = {}
        heygen_double.create = self
        heygen_double.find_videos = lambda title: iter(())

    def __call__(self, client, spec, *, idempotency_key, callback_id):
        self.keys[callback_id] = idempotency_key
        self.threads.add(threading.current_thread().name)
        said = self.says.get(callback_id, f"remote-{callback_id}")
        if isinstance(said, Exception):
            raise said
        return Submission(said, "waiting")


@pytest.fixture
def orders(heygen_double):
    return Orders(heygen_double)


@pytest.fixture
def claimed(owner, avatar):
    """Makes videos whose slots were handed out a moment ago."""

    def make(count: int) -> list[Video]:
        set_balance(owner, 10_000)
        for _ in range(count):
            make_video(owner, avatar=avatar)
        scheduler.hand_out_slots()
        return list(Video.objects.order_by("pk"))

    return make


def submit(videos: list[Video]) -> None:
    submission.submit_videos([str(video.pk) for video in videos])


@pytest.mark.parametrize("count", [1, 20])
def test_leases_of_orders_take_two_statements_however_many(claimed, count):
    ids = [str(video.pk) for video in claimed(count)]
    assert kinds_of(lambda: submission._claim_orders(ids)) == ["UPDATE", "SELECT"]


def test_accepted_orders_are_recorded_in_one_statement_and_the_gate_is_read_once(claimed):
    answers = [submission.Answer(video, timezone.now(), f"remote-{video.pk}") for video in claimed(20)]
    assert render_times.learned().webhooks_arrive is False
    assert kinds_of(lambda: submission._record(answers)) == ["WITH", "SELECT"]
    assert {fresh(answer.video).status for answer in answers} == {"rendering"}


def test_every_order_of_a_message_carries_the_stored_key_and_is_sent_once(orders, claimed):
    videos = claimed(20)
    submit(videos)
    submit(videos)

    assert orders.keys == {str(video.pk): video.idempotency_key for video in videos}
    assert [(v.status, v.calls, v.provider_video_id) for v in map(fresh, videos)] == [
        ("rendering", 1, f"remote-{v.pk}") for v in videos
    ]
    assert [history(video)[-1] for video in videos] == [("submitting", "rendering", "accepted_by_provider")] * 20


def test_a_refused_order_of_a_message_leaves_the_others_alone(orders, claimed):
    refused, unanswered, broken, _ = videos = claimed(4)
    orders.says[str(refused.pk)] = Refused("content_policy_violation")
    orders.says[str(unanswered.pk)] = Unknown("timeout")
    orders.says[str(broken.pk)] = RuntimeError("a bug")
    submit(videos)
    assert [fresh(video).status for video in videos] == ["failed", "submitting", "submitting", "rendering"]
    assert [fresh(video).calls for video in videos] == [1, 1, 1, 1]


def test_a_busy_answer_to_one_of_many_orders_trips_the_gate_and_requeues_it(orders, claimed):
    videos = claimed(3)
    orders.says[str(videos[0].pk)] = Busy("rate_limit_exceeded", retry_after=20)
    submit(videos)
    assert [fresh(video).status for video in videos] == ["queued", "rendering", "rendering"]
    assert provider_gate.read().code == "rate_limit_exceeded"


def test_orders_of_one_message_that_get_the_same_id_are_not_recorded_twice(orders, claimed):
    videos = claimed(3)
    for video in videos[:2]:
        orders.says[str(video.pk)] = "remote-of-both"
    submit(videos)
    assert sorted(fresh(video).status for video in videos) == ["rendering", "rendering", "submitting"]


def test_an_order_that_ended_during_its_call_keeps_the_id_of_its_render(claimed):
    ended, _ = videos = claimed(2)
    Video.objects.filter(pk=ended.pk).update(status=Status.CANCELED)
    submission.record_acceptances({video: f"remote-{video.pk}" for video in videos})
    assert [(v.status, v.provider_video_id) for v in map(fresh, videos)] == [
        ("canceled", f"remote-{ended.pk}"),
        ("rendering", f"remote-{videos[1].pk}"),
    ]
    assert VideoEvent.objects.filter(video=ended, to_status="rendering").count() == 0


def test_an_answer_to_an_earlier_call_moves_no_video(claimed):
    videos = claimed(2)
    Video.objects.filter(pk=videos[0].pk).update(calls=5)
    submission.record_acceptances({video: f"remote-{video.pk}" for video in videos})
    assert [fresh(video).status for video in videos] == ["submitting", "rendering"]


def test_orders_that_another_worker_holds_are_not_sent(orders, claimed):
    videos = claimed(3)
    Video.objects.filter(pk=videos[0].pk).update(due_at=timezone.now() + timedelta(seconds=60))
    submit(videos)
    assert set(orders.keys) == {str(video.pk) for video in videos[1:]}


def test_a_success_of_an_untroubled_gate_writes_nothing(claimed, orders):
    before = ProviderState.objects.values().get(name=provider_gate.NAME)
    submit(claimed(5))
    assert ProviderState.objects.values().get(name=provider_gate.NAME) == before
