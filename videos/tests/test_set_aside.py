"""An order that HeyGen repeatedly refuses for our account is set aside for staff and holds up no other."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from genvid.errors import InvalidState
from genvid.heygen.failures import failure_of_video
from genvid.heygen.heygen_errors import OperatorProblem
from genvid.tests.asserts import nothing_changes
from genvid.tests.factories import make_caller, make_video
from genvid.tests.mail import send_due_mail
from videos.enums import Status
from videos.models import OperatorAlarm, ProviderState, Video, seconds_from_now
from videos.pipeline import scheduler, sweeper
from videos.provider import provider_gate
from videos.provider.gate_decisions import CHECK_SECONDS, MAX_PROBE_SECONDS
from videos.staff import staff_actions
from videos.tests.fake_heygen import FakeHeyGen
from videos.tests.pipeline import (
    UNTOUCHED,
    charged_once,
    fresh,
    gate,
    gate_seconds,
    money_of,
    outcome_of,
    positions_now,
    still_held,
    wait_until,
)

pytestmark = pytest.mark.django_db
TOO_DEAR = "Hi. [[fail:MOVIO_PAYMENT_INSUFFICIENT_CREDIT]]"
FAILED_FOR_CREDIT = failure_of_video("MOVIO_PAYMENT_INSUFFICIENT_CREDIT", "")
EMPTY = OperatorProblem("insufficient_credit", "Your account has 5 credits but this video requires 10 credits.")


@pytest.fixture(autouse=True)
def reachable_staff(settings):
    settings.ALARM_EMAILS = ["ops@example.com"]


@pytest.fixture
def third():
    return make_caller()


def fail_render(pipeline, video: Video) -> Video:
    """Order the video once more, and let HeyGen fail it for lack of credit."""
    video = pipeline.poll(pipeline.finish_render(video))
    assert video.status == Status.QUEUED
    return video


def probe() -> list[Video]:
    """The orders that are sent once the gate's wait is over."""
    ProviderState.objects.update(closed_until=timezone.now())
    before = set(Video.objects.filter(status=Status.SUBMITTING).values_list("pk", flat=True))
    scheduler.hand_out_slots()
    return list(Video.objects.filter(status=Status.SUBMITTING).exclude(pk__in=before))


@pytest.fixture
def funded_wallet(monkeypatch):
    """HeyGen reports a positive balance."""
    monkeypatch.setattr(provider_gate, "get_client", FakeHeyGen)


def put_in_flight(video: Video, status: str, **fields: object) -> None:
    Video.objects.filter(pk=video.pk).update(status=status, submitted_at=timezone.now(), **fields)


def trip(video: Video, *, until_rendered: bool = False) -> Video:
    """Send the order, meet an operator problem, requeue it, and end the gate's wait."""
    provider_gate.trip(FAILED_FOR_CREDIT if until_rendered else EMPTY, video=video, ordered_at=timezone.now())
    return fresh(video)


def end_wait() -> None:
    ProviderState.objects.update(closed_until=timezone.now() - timedelta(seconds=1))


# ── Choice of the probe


def test_the_next_probe_is_the_oldest_of_another_account(owner, outsider, third, funded_wallet):
    tripping, own = make_video(owner), make_video(owner)
    younger, oldest = make_video(outsider), make_video(third)
    Video.objects.filter(pk=oldest.pk).update(queued_at=seconds_from_now(-60))
    Video.objects.filter(pk__in=[tripping.pk, own.pk]).update(queued_at=seconds_from_now(-600))
    trip(tripping)
    assert (gate().tripped_by, probe()) == (owner.account, [oldest])
    assert (fresh(younger).status, fresh(own).status) == ("queued", "queued")


def test_the_next_probe_of_one_account_is_an_order_that_never_closed_the_gate(owner, funded_wallet):
    tripping, own = make_video(owner), make_video(owner)
    trip(tripping)
    assert probe() == [own]


def test_an_order_that_is_alone_in_the_queue_probes_the_gate_itself(owner, funded_wallet):
    tripping = make_video(owner)
    trip(tripping)
    assert probe() == [tripping]


def test_an_account_whose_own_slots_are_full_does_not_probe(owner, outsider, funded_wallet, monkeypatch):
    tripping, waiting = make_video(owner), make_video(outsider)
    monkeypatch.setattr(
        scheduler.queue_positions.AccountQueue,
        "claimable",
        property(lambda line: int(line.account_id == owner.account.pk)),
    )
    trip(tripping)
    assert probe() == [tripping]
    assert fresh(waiting).status == "queued"


# ── Who is set aside


@pytest.mark.parametrize("status", ["rendering", "storing"])
def test_an_order_refused_twice_with_anothers_accepted_between_is_set_aside(owner, outsider, status):
    tripping, other = make_video(owner), make_video(outsider)
    tripping = trip(tripping)
    put_in_flight(other, status)
    end_wait()
    before = gate()
    tripping = trip(tripping)
    assert tripping.set_aside_at is not None
    assert (gate().closings, gate().changed_at, gate_seconds()) == (before.closings, before.changed_at, 0)
    assert list(OperatorAlarm.objects.values_list("code", "key")) == [
        ("order_set_aside", f"order_set_aside:{tripping.pk}")
    ]


def test_no_order_is_set_aside_with_none_of_another_account_accepted_between(owner, outsider):
    videos = [make_video(owner), make_video(outsider)]
    for _ in range(5):
        for video in videos:
            trip(video)
            end_wait()
    assert [fresh(video).set_aside_at for video in videos] == [None, None]
    assert (gate().closings, OperatorAlarm.objects.count()) == (10, 0)


def test_an_order_of_its_own_account_accepted_between_sets_no_order_aside(owner):
    tripping, own = make_video(owner), make_video(owner)
    trip(tripping)
    put_in_flight(own, "rendering")
    end_wait()
    assert trip(tripping).set_aside_at is None


def test_an_order_accepted_before_the_first_refusal_sets_no_order_aside(owner, outsider):
    tripping, other = make_video(owner), make_video(outsider)
    put_in_flight(other, "rendering")
    trip(tripping)
    end_wait()
    assert trip(tripping).set_aside_at is None


def test_only_a_finished_render_sets_an_order_aside_where_renders_fail_for_credit(owner, outsider):
    tripping, other = make_video(owner), make_video(outsider)
    trip(tripping, until_rendered=True)
    put_in_flight(other, "rendering")
    end_wait()
    assert trip(tripping, until_rendered=True).set_aside_at is None
    put_in_flight(other, "completed", rendered_at=timezone.now())
    end_wait()
    assert trip(tripping, until_rendered=True).set_aside_at is not None


@pytest.mark.parametrize("code", sorted(provider_gate.ABOUT_OUR_KEY))
def test_a_refused_heygen_key_sets_no_order_aside(owner, outsider, code):
    tripping, other = make_video(owner), make_video(outsider)
    provider_gate.trip(OperatorProblem(code), video=tripping, ordered_at=timezone.now())
    put_in_flight(other, "rendering")
    end_wait()
    provider_gate.trip(OperatorProblem(code), video=tripping, ordered_at=timezone.now())
    assert fresh(tripping).set_aside_at is None


def test_orders_in_flight_when_the_gate_closed_do_not_count_as_closing_it(owner):
    first, second = make_video(owner), make_video(owner)
    trip(first)
    trip(second)
    assert (fresh(second).gate_tripped_at, gate().closings) == (None, 1)


def test_a_problem_that_already_shuts_the_gate_sets_no_order_aside(owner, outsider, third):
    tripping, accepted, latest = make_video(owner), make_video(outsider), make_video(third)
    trip(tripping)
    put_in_flight(accepted, "rendering")
    end_wait()
    trip(latest)
    assert trip(tripping).set_aside_at is None
    assert (gate().tripped_by, gate().closings) == (third.account, 2)


# ── What being set aside means


@pytest.fixture
def set_aside_video(owner):
    video = make_video(owner)
    Video.objects.filter(pk=video.pk).update(set_aside_at=timezone.now(), waiting_reason="insufficient_credit")
    return fresh(video)


def test_an_order_set_aside_holds_up_no_other(owner, outsider, set_aside_video, settings):
    settings.HEYGEN_MAX_CONCURRENT = 5
    own, other = make_video(owner), make_video(outsider)
    assert positions_now([set_aside_video, own, other]).keys() == {own.pk, other.pk}
    assert sorted(positions_now([own, other]).values()) == [1, 2]
    assert scheduler.hand_out_slots() == 2
    assert fresh(set_aside_video).status == "queued"


def test_an_order_set_aside_fails_at_its_deadline_with_its_credits_back_and_an_alarm(owner, set_aside_video):
    Video.objects.filter(pk=set_aside_video.pk).update(deadline_at=seconds_from_now(0))
    sweeper.sweep_all()
    send_due_mail("staff_alarm")
    assert outcome_of(set_aside_video) == ("failed", "provider_problem", True)
    assert (money_of(owner), [message.subject for message in mail.outbox]) == (
        UNTOUCHED,
        ["[genvid] Alarm: set_aside_order_failed"],
    )


def test_an_order_set_aside_may_be_canceled_by_its_client(owner, set_aside_video):
    answer = owner.client.post(f"/api/v1/videos/{set_aside_video.pk}/cancel")
    assert (answer.status_code, fresh(set_aside_video).status, money_of(owner)) == (200, "canceled", UNTOUCHED)


def test_an_order_set_aside_goes_on_when_staff_resume_it(owner, set_aside_video, settings):
    Video.objects.filter(pk=set_aside_video.pk).update(deadline_at=seconds_from_now(60), gate_tripped_at=timezone.now())
    video = staff_actions.resume_set_aside(set_aside_video, by="staff@example.com")
    assert (video.set_aside_at, video.gate_tripped_at, video.waiting_reason) == (None, None, "")
    assert video.deadline_at > seconds_from_now(settings.VIDEO_QUEUE_DEADLINE - 3600)
    assert (scheduler.hand_out_slots(), fresh(set_aside_video).status) == (1, "submitting")


@pytest.mark.parametrize("status", ["queued", "rendering", "failed"])
def test_only_an_order_that_was_set_aside_can_be_resumed(owner, status):
    video = make_video(owner, status)
    with nothing_changes(), pytest.raises(InvalidState):
        staff_actions.resume_set_aside(video, by="staff@example.com")


# ── Against the sandbox


def test_a_video_dearer_than_the_provider_balance_closes_the_gate_twice_at_most(pipeline, owner, outsider):
    dear = fail_render(pipeline, pipeline.order(owner, TOO_DEAR))
    healthy = pipeline.order(outsider)
    pipeline.end_gate_wait()
    assert (pipeline.dispatch(), fresh(healthy).status) == (1, "submitting")
    assert pipeline.run(healthy).status == Status.COMPLETED

    def is_set_aside() -> bool:
        pipeline.end_gate_wait()
        pipeline.tick()
        return fresh(dear).set_aside_at is not None

    wait_until(is_set_aside)
    assert pipeline.count_renders(dear) == 2
    assert still_held(owner, dear)
    after_it = pipeline.order(outsider)
    assert pipeline.run(after_it).status == Status.COMPLETED
    assert (gate().code, fresh(dear).status, pipeline.count_renders(dear)) == ("", "queued", 2)
    send_due_mail("staff_alarm")
    assert "[genvid] Alarm: order_set_aside" in {message.subject for message in mail.outbox}


def test_orders_go_on_by_themselves_after_an_empty_wallet_is_refilled(pipeline, owner, outsider):
    pipeline.sandbox.wallet(0)
    first = fail_render(pipeline, pipeline.order(owner))
    second = pipeline.order(outsider)
    for _ in range(3):
        ProviderState.objects.update(changed_at=seconds_from_now(-MAX_PROBE_SECONDS), closed_until=seconds_from_now(0))
        pipeline.tick()
    pipeline.sandbox.wallet(100)
    ProviderState.objects.update(closed_until=seconds_from_now(600), looked_at=seconds_from_now(-CHECK_SECONDS))

    def are_there() -> bool:
        pipeline.tick()
        pipeline.end_gate_wait()  # an order in flight during the refill may close the gate once more
        return Video.objects.filter(status=Status.COMPLETED).count() == 2

    wait_until(are_there)
    assert list(Video.objects.values_list("status", "set_aside_at")) == [("completed", None)] * 2
    assert (charged_once(owner, first), charged_once(outsider, second), gate().code) == (True, True, "")


# ── The check while the gate is closed


def test_a_refilled_wallet_opens_a_gate_that_is_closed_for_long(pipeline, owner):
    video = pipeline.order(owner)
    provider_gate.trip(EMPTY)
    pipeline.sandbox.wallet(1)
    ProviderState.objects.update(closed_until=seconds_from_now(600))
    assert (pipeline.dispatch(), gate().balance_seen) == (0, 1)
    pipeline.sandbox.wallet(50)
    assert pipeline.dispatch() == 0, "between two looks nobody looks"
    ProviderState.objects.update(looked_at=seconds_from_now(-CHECK_SECONDS))
    assert (pipeline.dispatch(), fresh(video).status) == (1, "submitting")


@pytest.mark.parametrize("balance", [1, 0.5, 0])
def test_a_wallet_that_was_not_refilled_leaves_the_gate_closed(pipeline, owner, balance):
    pipeline.order(owner)
    provider_gate.trip(EMPTY)
    ProviderState.objects.update(closed_until=seconds_from_now(600), balance_seen=1)
    pipeline.sandbox.wallet(balance)
    assert pipeline.dispatch() == 0
    assert gate_seconds() > 300


def test_a_corrected_heygen_key_opens_a_gate_that_is_closed_for_long(pipeline, owner, settings):
    pipeline.order(owner)
    provider_gate.trip(OperatorProblem("unauthorized"))
    ProviderState.objects.update(closed_until=seconds_from_now(600))
    right, settings.HEYGEN_API_KEY = settings.HEYGEN_API_KEY, "wrong"
    assert pipeline.dispatch() == 0
    settings.HEYGEN_API_KEY = right
    ProviderState.objects.update(looked_at=seconds_from_now(-CHECK_SECONDS))
    assert pipeline.dispatch() == 1
