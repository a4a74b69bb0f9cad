"""What one request for a video costs, in statements and trips to Redis, and parallel requests on one wallet."""

import re
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from redis.connection import AbstractConnection

from accounts.enums import KeyMode
from accounts.models import Delivery, OutgoingEvent
from billing.models import Hold
from genvid import coalescing
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, still_process_caches, the_ledger_proves
from genvid.tests.factories import (
    Person,
    make_avatar,
    make_caller,
    make_endpoint,
    make_key,
    make_request,
    make_video,
    set_balance,
)
from genvid.tests.parallel import in_parallel
from videos.lifecycle import video_actions
from videos.models import Video, VideoEvent
from videos.queue import waiting_reasons

VIDEOS = "/api/v1/videos"
CLAIM, ANSWER = "INSERT accounts_idempotencyrecord", "UPDATE accounts_idempotencyrecord"
CAST, ENDPOINTS = "SELECT avatars_avatar", "SELECT accounts_webhookendpoint"
WALLET, ALL_ROWS = "UPDATE billing_wallet", "INSERT videos_video"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def buyer(settings: Settings) -> Person:
    settings.REQUIRE_VERIFIED_EMAIL = True
    return make_caller(balance=1000, verified=True)


@pytest.fixture
def payload() -> dict[str, Any]:
    avatar = make_avatar()
    return {"script": "Hello there.", "avatar_id": str(avatar.pk), "voice_id": str(avatar.default_voice_id)}


def post(client: Any, payload: dict[str, Any], path: str = VIDEOS) -> Any:
    return client.post(path, payload, HTTP_IDEMPOTENCY_KEY=str(uuid4()))


def statements_of(action: Callable[[], Any]) -> list[str]:
    """Kind and first table of each statement: `SELECT billing_wallet`, `BEGIN`."""
    with CaptureQueriesContext(connection) as captured:
        action()
    return [_named(query["sql"]) for query in captured.captured_queries]


def _named(text: str) -> str:
    written = re.sub(r"^WITH \w+ AS \(", "", text)
    table = re.search(r'"(\w+)"', written)
    return f"{written.split(maxsplit=1)[0]} {table[1]}" if table else written


def queue_statements(person: Person) -> list[str]:
    """What the queue state of a next video takes, which is read once."""
    return statements_of(lambda: waiting_reasons.waiting_state_of_next(person.account.pk, is_test=False))


def once_warm(action: Callable[[], Any]) -> list[str]:
    with still_process_caches():
        assert action().status_code in (200, 201)
        return statements_of(action)


def test_a_video_takes_six_statements_and_its_queue_state(buyer, payload):
    assert once_warm(lambda: post(buyer.client, payload)) == [
        *(CLAIM, "BEGIN", CAST, ENDPOINTS),
        *queue_statements(buyer),
        *(WALLET, ALL_ROWS, ANSWER, "COMMIT"),
    ]


def test_an_event_for_two_endpoints_takes_no_statement_more(buyer, payload):
    make_endpoint(buyer)
    make_endpoint(buyer, "video.queued")
    statements = once_warm(lambda: post(buyer.client, payload))
    assert len(statements) == 8 + len(queue_statements(buyer))
    assert (OutgoingEvent.objects.count(), Delivery.objects.count()) == (2, 4)


def test_a_video_without_an_idempotency_key_takes_two_statements_less(buyer, payload):
    assert once_warm(lambda: buyer.client.post(VIDEOS, payload)) == [
        *("BEGIN", CAST, ENDPOINTS),
        *queue_statements(buyer),
        *(WALLET, ALL_ROWS, "COMMIT"),
    ]


def test_the_avatars_own_voice_is_read_with_it(buyer, payload):
    del payload["voice_id"]
    assert once_warm(lambda: post(buyer.client, payload)).count(CAST) == 1


def test_a_draft_takes_four_statements(buyer, payload):
    statements = once_warm(lambda: post(buyer.client, payload | {"draft": True}))
    assert statements == [CLAIM, "BEGIN", CAST, ALL_ROWS, ANSWER, "COMMIT"]


def test_the_monthly_limit_of_a_key_takes_one_statement(buyer, payload):
    program = make_key(buyer, monthly_credit_limit=500)
    assert once_warm(lambda: post(program.client, payload)) == [
        *("SELECT accounts_apikey", CLAIM, "BEGIN", CAST, ENDPOINTS),
        *queue_statements(buyer),
        *(WALLET, "UPDATE accounts_apikey", ALL_ROWS, ANSWER, "COMMIT"),
    ]


def test_a_test_video_takes_no_more_statements_than_another(buyer, payload, settings):
    settings.TEST_RENDERER_URL = settings.TEST_RENDERER_KEY = "http://127.0.0.1:9"
    program = make_key(buyer, mode=KeyMode.TEST)
    statements = once_warm(lambda: post(program.client, payload))
    assert len(statements) <= len(queue_statements(buyer)) + 10
    assert not any(each.startswith(("SAVEPOINT", "RELEASE")) for each in statements)


def test_a_quote_takes_two_statements_and_its_queue_state(buyer, payload):
    statements = once_warm(lambda: buyer.client.post(f"{VIDEOS}/quote", payload))
    assert statements == [CAST, "SELECT billing_wallet", *queue_statements(buyer)]


def test_a_retry_takes_one_statement_more_than_a_new_video(buyer, payload):
    video = make_video(buyer, "canceled", avatar_id=payload["avatar_id"])
    statements = once_warm(lambda: post(buyer.client, {}, f"{VIDEOS}/{video.pk}/retry"))
    assert len(statements) == 9 + len(queue_statements(buyer))


def test_videos_of_a_moment_wake_the_scheduler_by_one_trip_to_redis(buyer, payload, monkeypatch, queue_is_current):
    caller, request = buyer.caller, make_request(script="Hello there.", avatar_id=payload["avatar_id"])
    video_actions.create_video(caller, request)
    trips: list[Any] = []
    send = AbstractConnection.send_packed_command

    def count(self: Any, command: Any, *rest: Any, **options: Any) -> Any:
        trips.append(command)
        return send(self, command, *rest, **options)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", count)
    coalescing.forget_all()
    monkeypatch.setattr(coalescing, "Timer", Mock())
    monkeypatch.setattr(coalescing, "monotonic", lambda: 1e6)
    for _ in range(3):
        video_actions.create_video(caller, request)
    assert len(trips) == 1


# ── What is written


def test_a_new_video_has_the_history_of_one_that_was_accepted(buyer, payload):
    made = data_of(post(buyer.client, payload), 201)
    rows = VideoEvent.objects.filter(video=made["id"]).order_by("id")
    assert list(rows.values_list("from_status", "to_status", "reason")) == [
        ("", "draft", "created"),
        ("draft", "queued", "accepted"),
    ]


def test_the_answer_and_the_event_show_the_video_as_it_was_stored(buyer, payload):
    make_endpoint(buyer)
    made = data_of(post(buyer.client, payload), 201)
    seen = data_of(buyer.client.get(f"{VIDEOS}/{made['id']}"))
    stored = made.keys() - {"eta_seconds", "queue_position", "waiting_for"}
    assert {name: made[name] for name in stored} == {name: seen[name] for name in stored}
    assert f'"data":{{"id":"{made["id"]}"' in OutgoingEvent.objects.get().body


def test_a_refused_video_leaves_no_event(buyer, payload):
    make_endpoint(buyer)
    set_balance(buyer, 3)
    with nothing_changes():
        assert refusal_of(buyer.client.post(VIDEOS, payload)) == (402, "insufficient_credits")


def test_a_video_beyond_the_limit_of_its_key_leaves_nothing(buyer, payload):
    program = make_key(buyer, monthly_credit_limit=1)
    assert program.client.get(VIDEOS).status_code == 200  # its use is recorded once a minute
    with nothing_changes():
        assert refusal_of(program.client.post(VIDEOS, payload)) == (402, "key_limit_reached")


# ── Parallel requests


def test_of_parallel_requests_as_many_succeed_as_the_wallet_can_pay(payload):
    buyer = make_caller(balance=19)
    answers = in_parallel([lambda: post(buyer.client, payload)] * 12)
    statuses = sorted(answer.status_code for answer in answers)
    held = sum(Hold.objects.values_list("amount", flat=True))
    assert statuses == [201] * 4 + [402] * 8
    assert (Video.objects.count(), Hold.objects.count(), VideoEvent.objects.count()) == (4, 4, 8)
    assert (buyer.wallet.held, held, the_ledger_proves()) == (16, 16, True)
