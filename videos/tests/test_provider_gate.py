"""The provider gate: its functions over the stored row. An operator problem fails no video.

The pure decisions are tested in `test_gate_decisions`.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from genvid.heygen.failures import failure_of_video
from genvid.heygen.heygen_errors import Busy, OperatorProblem, Unknown
from genvid.heygen.heygen_types import ProviderAccount
from genvid.tests.asserts import lies_ahead, nothing_changes, statements_of
from genvid.tests.factories import make_video
from genvid.tests.parallel import in_parallel
from videos.models import ProviderState, Video, seconds_from_now
from videos.pipeline import scheduler
from videos.provider import provider_gate
from videos.provider.gate_decisions import CHECK_SECONDS, MAX_PROBE_SECONDS
from videos.queue import estimates
from videos.tests.fake_heygen import FakeHeyGen
from videos.tests.pipeline import CREATE, charged_once, fresh, gate, gate_seconds, history, still_held

pytestmark = pytest.mark.django_db
FAILED_FOR_CREDIT = failure_of_video("MOVIO_PAYMENT_INSUFFICIENT_CREDIT", "")
EMPTY = OperatorProblem("insufficient_credit", "Your account has 0 credits.")
BUSY = Busy("rate_limit_exceeded", retry_after=20)


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def pass_time(clock, seconds: float) -> None:
    clock.shift(timedelta(seconds=seconds))


def seconds_closed() -> int:
    return round(gate_seconds())


# ── Successes that read nothing


def test_an_order_sent_before_the_gate_was_last_seen_open_asks_nothing():
    provider_gate.record_success(timezone.now())
    long_ago = timezone.now() - timedelta(minutes=1)
    assert statements_of(lambda: provider_gate.record_success(long_ago, is_rendered=True)) == []


def test_an_order_sent_after_a_trip_reopens_a_gate_that_was_just_seen_open(clock):
    provider_gate.record_success(timezone.now())
    provider_gate.trip(EMPTY, ordered_at=timezone.now())
    pass_time(clock, 16)
    provider_gate.record_success(timezone.now())
    assert gate().code == ""


def test_an_order_sent_just_before_the_gate_was_seen_open_is_looked_at():
    """Clocks differ: by that of the worker that tripped it, the order may have been sent later."""
    sent_at = timezone.now()
    provider_gate.record_success(sent_at)
    assert len(statements_of(lambda: provider_gate.record_success(sent_at))) == 1


# ── Closing


def test_ten_orders_that_meet_one_problem_close_the_gate_once(clock):
    for _ in range(10):
        provider_gate.trip(EMPTY, ordered_at=timezone.now())
    assert (gate().closings, seconds_closed()) == (1, 15)


def test_a_closed_gate_still_notes_that_only_a_render_reopens_it(clock):
    provider_gate.trip(EMPTY, ordered_at=timezone.now())
    provider_gate.trip(FAILED_FOR_CREDIT, ordered_at=timezone.now())
    assert (gate().code, gate().until_rendered, gate().closings) == ("insufficient_credit", True, 1)


# ── Reopening


def test_an_order_accepted_after_the_wait_opens_the_gate(clock):
    provider_gate.trip(EMPTY)
    pass_time(clock, 16)
    provider_gate.record_success(timezone.now())
    assert (gate().code, gate().needs_staff, gate().closings) == ("", False, 0)


@pytest.mark.parametrize("is_rendered", [False, True])
def test_an_order_sent_before_the_trip_does_not_open_the_gate(clock, is_rendered):
    ordered_at = timezone.now() - timedelta(seconds=1)
    provider_gate.trip(EMPTY)
    pass_time(clock, 16)
    provider_gate.record_success(ordered_at, is_rendered=is_rendered)
    assert gate().needs_staff


def test_an_accepted_order_does_not_open_a_gate_that_needs_a_render(clock):
    provider_gate.trip(FAILED_FOR_CREDIT)
    pass_time(clock, 16)
    provider_gate.record_success(timezone.now())
    assert gate().needs_staff
    provider_gate.record_success(timezone.now(), is_rendered=True)
    assert (gate().code, gate().until_rendered) == ("", False)


def test_staff_open_the_gate_at_once():
    provider_gate.trip(EMPTY)
    provider_gate.reopen()
    assert (gate().code, gate_seconds()) == ("", 0)


# ── The learned limit


def test_slots_are_handed_out_up_to_the_learned_limit(owner, settings):
    settings.HEYGEN_MAX_CONCURRENT = 5
    for _ in range(4):
        make_video(owner)
    ProviderState.objects.create(name=provider_gate.NAME, learned_limit=2, learned_at=timezone.now())
    assert [scheduler.hand_out_slots() for _ in range(2)] == [2, 0]


# ── Against the sandbox: the check before an order


def balance_checks(pipeline) -> int:
    return pipeline.sandbox.records()["requests"].get("GET /v3/users/me", 0)


def order_beside_trouble(pipeline, owner, code: str = "unauthorized") -> Video:
    """A queued video whose account did not trip the gate; the wait of the gate is over."""
    video = pipeline.order(owner)
    provider_gate.trip(OperatorProblem(code))
    pipeline.end_gate_wait()
    return video


def test_a_wrong_heygen_key_is_found_by_a_check_that_moves_no_video(pipeline, owner, settings):
    video, settings.HEYGEN_API_KEY = order_beside_trouble(pipeline, owner), "wrong"
    before, begun = fresh(video), timezone.now()
    assert pipeline.dispatch() == 0
    assert (fresh(video), balance_checks(pipeline), gate().closings) == (before, 1, 1)
    assert lies_ahead(gate().closed_until, CHECK_SECONDS, since=begun)


def test_the_balance_is_not_checked_between_two_checks(pipeline, owner, settings):
    order_beside_trouble(pipeline, owner)
    settings.HEYGEN_API_KEY = "wrong"
    assert [pipeline.dispatch() for _ in range(3)] == [0, 0, 0]
    assert balance_checks(pipeline) == 1


def test_an_empty_wallet_is_found_by_a_balance_check(pipeline, owner):
    video = order_beside_trouble(pipeline, owner, "insufficient_credit")
    pipeline.sandbox.wallet(0)
    assert (pipeline.dispatch(), fresh(video).status) == (0, "queued")


def test_a_successful_balance_check_lets_one_order_through(pipeline, owner):
    video, other = order_beside_trouble(pipeline, owner), pipeline.order(owner)
    assert (pipeline.dispatch(), fresh(video).status, fresh(other).status) == (1, "submitting", "queued")
    assert gate().needs_staff
    assert (pipeline.dispatch(), balance_checks(pipeline)) == (0, 1)
    assert pipeline.submit(video).status == "rendering"
    assert (gate().needs_staff, pipeline.dispatch()) == (False, 1)


def test_no_order_is_sent_to_a_heygen_that_does_not_answer_the_check(pipeline, owner):
    video = order_beside_trouble(pipeline, owner)
    pipeline.sandbox.fault(kind="status", status=503, method="GET", path="/v3/users/me", times=9)
    assert (pipeline.dispatch(), fresh(video).status) == (0, "queued")


def test_an_order_goes_after_the_longest_wait_whatever_the_balance(pipeline, owner):
    """An automatic refill at HeyGen may be triggered only by a rejected order."""
    order_beside_trouble(pipeline, owner)
    pipeline.sandbox.wallet(0)
    long_ago = timezone.now() - timedelta(seconds=MAX_PROBE_SECONDS)
    ProviderState.objects.update(changed_at=long_ago)
    assert pipeline.dispatch() == 1


def test_the_balance_is_not_checked_while_the_gate_is_open(pipeline, owner):
    pipeline.submit(pipeline.order(owner))
    assert balance_checks(pipeline) == 0


def test_the_balance_is_not_checked_while_orders_are_paused(pipeline, owner):
    order_beside_trouble(pipeline, owner)
    provider_gate.pause("ops@example.com")
    assert (pipeline.dispatch(), balance_checks(pipeline)) == (0, 0)


@pytest.mark.parametrize("seconds", [0, 16])
def test_a_pause_keeps_everybody_from_checking_the_balance(clock, monkeypatch, seconds):
    monkeypatch.setattr(provider_gate, "get_client", FakeHeyGen)
    provider_gate.trip(EMPTY)
    ProviderState.objects.update(balance_seen=Decimal("0.5"))
    pass_time(clock, seconds)
    provider_gate.pause("ops@example.com")
    with nothing_changes():
        assert provider_gate.half_open() is False
    provider_gate.resume("ops@example.com")
    assert provider_gate.half_open() is True


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wait", [-1, 600])
def test_one_of_eight_workers_checks_the_balance(monkeypatch, wait):
    checks = []

    class Silent:
        def get_account(self) -> ProviderAccount:
            checks.append(1)
            raise Unknown("timeout")

    monkeypatch.setattr(provider_gate, "get_client", Silent)
    provider_gate.trip(EMPTY)
    ProviderState.objects.update(closed_until=seconds_from_now(wait))
    assert in_parallel([provider_gate.half_open] * 8) == [False] * 8
    assert len(checks) == 1


@pytest.mark.parametrize("code", ["quota_exceeded", "insufficient_credit", "unauthorized"])
def test_a_problem_of_our_account_keeps_position_hold_and_progress_of_a_video(pipeline, owner, outsider, code):
    video = pipeline.order(owner)
    later = pipeline.order(outsider)
    queued_at = fresh(video).queued_at
    pipeline.sandbox.fault(kind="status", status=429, code=code, **CREATE)
    pipeline.dispatch()
    shown = estimates.progress_percent(fresh(video))
    video = pipeline.submit(video)
    assert (video.status, video.queued_at, gate().code) == ("queued", queued_at, code)
    assert estimates.progress_percent(video) >= shown
    assert still_held(owner, video)
    pipeline.run(later, "rendering", "queued")
    pipeline.end_gate_wait()
    assert pipeline.run(video).status == "completed"
    assert charged_once(owner, video)


def test_a_gate_closed_by_a_render_waits_for_a_check_and_then_for_a_render(pipeline, owner):
    pipeline.sandbox.wallet(0)
    video = pipeline.poll(pipeline.finish_render(pipeline.order(owner)))
    pipeline.end_gate_wait()
    assert (video.status, pipeline.dispatch()) == ("queued", 0)
    pipeline.sandbox.wallet(100)
    pipeline.end_gate_wait()
    assert pipeline.run(video).status == "completed"
    assert (gate().code, [move[2] for move in history(video)].count("provider_operator_problem")) == ("", 1)
