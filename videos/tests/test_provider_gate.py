"""HeyGen's gate: how long it stays closed, what opens it, and that nobody's video pays for our own troubles."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from genvid.heygen.errors import Busy, OperatorProblem
from genvid.tests.asserts import lies_ahead, nothing_changes
from genvid.tests.factories import make_video
from videos import estimates, provider, scheduler
from videos.models import ProviderState, Video
from videos.tests.pipeline import CREATE, charged_once, fresh, gate, gate_seconds, history, still_held

pytestmark = pytest.mark.django_db
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


# ── One trouble is told once


def test_ten_orders_that_meet_the_same_trouble_close_the_gate_once(clock):
    for _ in range(10):
        provider.close_for(EMPTY, timezone.now())
    assert (gate().closings, seconds_closed()) == (1, 15)


def test_the_answer_to_an_order_sent_before_the_closing_is_no_second_trouble(clock):
    ordered_at = timezone.now() - timedelta(seconds=1)
    provider.close_for(EMPTY, timezone.now())
    pass_time(clock, 60)
    provider.close_for(EMPTY, ordered_at)
    assert (gate().closings, seconds_closed()) == (1, 0)


def test_each_trouble_in_a_row_closes_it_for_longer(clock):
    waits = []
    for _ in range(8):
        provider.close_for(EMPTY, timezone.now())
        waits.append(seconds_closed())
        pass_time(clock, waits[-1])
    assert waits == [15, 30, 60, 120, 240, 480, 600, 600]


def test_what_only_a_render_can_mend_is_noted_though_the_gate_is_closed_already(clock):
    provider.close_for(EMPTY, timezone.now())
    provider.close("movio_payment", "", needs_staff=True, until_rendered=True, ordered_at=timezone.now())
    assert (gate().code, gate().until_rendered, gate().closings) == ("insufficient_credit", True, 1)


def test_a_429_neither_hides_what_staff_must_mend_nor_shortens_its_wait(clock):
    for _ in range(3):
        provider.close_for(EMPTY, timezone.now())
        pass_time(clock, seconds_closed())
    provider.close_for(EMPTY, timezone.now())
    provider.close_for(BUSY)
    assert (gate().code, gate().needs_staff, seconds_closed()) == ("insufficient_credit", True, 120)


def test_a_second_429_does_not_shorten_the_wait_of_the_first(clock):
    provider.close_for(Busy("rate_limit_exceeded", retry_after=90))
    provider.close_for(BUSY)
    assert seconds_closed() == 90


def test_429s_do_not_make_the_first_real_trouble_a_long_one(clock):
    for _ in range(6):
        provider.close_for(BUSY)
    pass_time(clock, 21)
    provider.close_for(EMPTY, timezone.now())
    assert seconds_closed() == 15


# ── What opens it


def test_an_order_taken_after_the_wait_opens_it(clock):
    provider.close_for(EMPTY)
    pass_time(clock, 16)
    provider.note_order_taken(timezone.now())
    assert (gate().code, gate().needs_staff, gate().closings) == ("", False, 0)


@pytest.mark.parametrize("news", [provider.note_order_taken, provider.note_render_finished])
def test_an_order_sent_before_the_closing_proves_nothing(clock, news):
    ordered_at = timezone.now() - timedelta(seconds=1)
    provider.close_for(EMPTY)
    pass_time(clock, 16)
    news(ordered_at)
    assert gate().needs_staff


def test_an_order_merely_taken_does_not_open_it_when_a_render_must(clock):
    provider.close("movio_payment", "", needs_staff=True, until_rendered=True)
    pass_time(clock, 16)
    provider.note_order_taken(timezone.now())
    assert gate().needs_staff
    provider.note_render_finished(timezone.now())
    assert (gate().code, gate().until_rendered) == ("", False)


def test_staff_open_it_at_once():
    provider.close_for(EMPTY)
    provider.reopen()
    assert (gate().code, gate_seconds()) == ("", 0)


# ── The limit that a 429 teaches


def test_a_burst_of_429s_is_one_lesson(clock):
    ordered_at = timezone.now()
    pass_time(clock, 1)
    for _ in range(8):
        provider.learn_limit(0, ordered_at)
    assert provider.limit(gate(), timezone.now()) == 5


def test_an_order_of_the_lowered_limit_teaches_more(clock):
    for _ in range(3):
        provider.learn_limit(0, timezone.now())
        pass_time(clock, 1)
    assert provider.limit(gate(), timezone.now()) == 1


def test_the_limit_grows_back_as_time_passes(clock):
    provider.learn_limit(7)
    limits = []
    for _ in range(5):
        limits.append(provider.limit(gate(), timezone.now()))
        pass_time(clock, provider.LIMIT_STEP_SECONDS)
    assert limits == [7, 8, 9, 10, 10]


def test_the_learned_limit_is_what_is_handed_out(owner, settings):
    settings.HEYGEN_MAX_CONCURRENT = 5
    for _ in range(4):
        make_video(owner)
    provider.learn_limit(0)
    assert [scheduler.hand_out_slots() for _ in range(2)] == [2, 0]


# ── Against the sandbox: a look before an order is risked


def looks(pipeline) -> int:
    return pipeline.sandbox.books()["requests"].get("GET /v3/users/me", 0)


def order_beside_trouble(pipeline, owner, code: str = "unauthorized") -> Video:
    """A video that waits, its gate's wait being over."""
    video = pipeline.order(owner)
    provider.close(code, "", needs_staff=True)
    pipeline.pass_gate()
    return video


def test_a_wrong_key_is_found_by_a_look_that_touches_no_video(pipeline, owner, settings):
    video, settings.HEYGEN_API_KEY = order_beside_trouble(pipeline, owner), "wrong"
    before, begun = fresh(video), timezone.now()
    assert pipeline.dispatch() == 0
    assert (fresh(video), looks(pipeline), gate().closings) == (before, 1, 1)
    assert lies_ahead(gate().closed_until, provider.LOOK_SECONDS, since=begun)


def test_between_two_looks_nobody_looks(pipeline, owner, settings):
    order_beside_trouble(pipeline, owner)
    settings.HEYGEN_API_KEY = "wrong"
    assert [pipeline.dispatch() for _ in range(3)] == [0, 0, 0]
    assert looks(pipeline) == 1


def test_an_empty_wallet_is_found_by_a_look(pipeline, owner):
    video = order_beside_trouble(pipeline, owner, "insufficient_credit")
    pipeline.sandbox.wallet(0)
    assert (pipeline.dispatch(), fresh(video).status) == (0, "queued")


def test_a_look_that_goes_well_lets_one_order_through(pipeline, owner):
    video, other = order_beside_trouble(pipeline, owner), pipeline.order(owner)
    assert (pipeline.dispatch(), fresh(video).status, fresh(other).status) == (1, "submitting", "queued")
    assert gate().needs_staff
    assert (pipeline.dispatch(), looks(pipeline)) == (0, 1)
    assert pipeline.submit(video).status == "rendering"
    assert (gate().needs_staff, pipeline.dispatch()) == (False, 1)


def test_a_heygen_that_does_not_answer_gets_no_order(pipeline, owner):
    video = order_beside_trouble(pipeline, owner)
    pipeline.sandbox.fault(kind="status", status=503, method="GET", path="/v3/users/me", times=9)
    assert (pipeline.dispatch(), fresh(video).status) == (0, "queued")


def test_after_the_longest_wait_an_order_goes_whatever_the_wallet_says(pipeline, owner):
    """An automatic refill may be set off by nothing but a rejected order."""
    order_beside_trouble(pipeline, owner)
    pipeline.sandbox.wallet(0)
    long_ago = timezone.now() - timedelta(seconds=provider.MAX_PROBE_SECONDS)
    ProviderState.objects.update(changed_at=long_ago)
    assert pipeline.dispatch() == 1


def test_an_open_gate_is_not_looked_at(pipeline, owner):
    pipeline.submit(pipeline.order(owner))
    assert looks(pipeline) == 0


def test_a_paused_provider_is_not_looked_at(pipeline, owner):
    order_beside_trouble(pipeline, owner)
    provider.pause("ops@example.com")
    assert (pipeline.dispatch(), looks(pipeline)) == (0, 0)


@pytest.mark.parametrize("take", [provider.take_look, provider.take_early_look])
def test_who_comes_to_look_after_a_pause_does_not(clock, take):
    provider.close_for(EMPTY)
    pass_time(clock, 0 if take is provider.take_early_look else 16)
    provider.pause("ops@example.com")
    with nothing_changes():
        assert take() is False
    provider.resume("ops@example.com")
    assert take() is True


@pytest.mark.parametrize("code", ["quota_exceeded", "insufficient_credit", "unauthorized"])
def test_a_trouble_of_ours_keeps_the_place_the_hold_and_the_progress(pipeline, owner, outsider, code):
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
    pipeline.pass_gate()
    assert pipeline.run(video).status == "completed"
    assert charged_once(owner, video)


def test_a_render_failed_for_credit_waits_for_a_look_and_then_for_a_render(pipeline, owner):
    pipeline.sandbox.wallet(0)
    video = pipeline.poll(pipeline.rendered(pipeline.order(owner)))
    pipeline.pass_gate()
    assert (video.status, pipeline.dispatch()) == ("queued", 0)
    pipeline.sandbox.wallet(100)
    pipeline.pass_gate()
    assert pipeline.run(video).status == "completed"
    assert (gate().code, [move[2] for move in history(video)].count("provider_operator_problem")) == ("", 1)
