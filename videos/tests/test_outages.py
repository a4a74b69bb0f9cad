"""HeyGen answers no call: noticed, alarmed after a while, and everything goes on once it answers."""

import contextlib
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import User
from genvid.heartbeats import sending, status
from genvid.heartbeats.models import BEAT
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import HeyGenError, OperatorProblem, Unknown
from genvid.heygen.reachability import Calls, Reachability, of_this_process
from genvid.tests.asserts import queries_of
from genvid.tests.factories import make_video
from genvid.tests.mail import send_due_mail
from genvid.tests.workers import inline_worker
from videos import jobs
from videos.enums import Status
from videos.models import OperatorAlarm, ProviderOutage, ProviderState, Video, seconds_from_now
from videos.provider import outages, provider_gate
from videos.tests.pipeline import fresh, gate

pytestmark = pytest.mark.django_db
ALARMED = timedelta(seconds=121)


@pytest.fixture(autouse=True)
def reachable_staff(settings):
    settings.ALARM_EMAILS = ["ops@example.com"]


@pytest.fixture
def silent(settings, closed_url):
    """Nobody listens at HeyGen's address."""
    settings.HEYGEN_BASE_URL = closed_url
    return closed_url


def unanswered_for(span: timedelta) -> None:
    state = gate()
    ProviderState.objects.filter(pk=state.pk).update(unanswered_since=timezone.now() - span)


def make_outage(span: timedelta) -> None:
    unanswered_for(span)
    ProviderOutage.objects.create(began_at=timezone.now() - span)


def subjects() -> list[str]:
    send_due_mail("staff_alarm")
    return [message.subject.removeprefix("[genvid] ") for message in mail.outbox]


# ── What the calls of a process came to


@pytest.fixture
def calls():
    """Notes calls by a clock that the test sets."""
    clock = SimpleNamespace(now=100.0)
    reachability = Reachability(lambda: clock.now)

    def note(*, began: float, ended: float, answered: bool) -> None:
        clock.now = ended
        reachability.note("here", began=began, answered=answered)

    return SimpleNamespace(note=note, take=lambda: reachability.take("here"), clock=clock)


def test_an_unanswered_time_begins_with_the_first_call(calls):
    calls.note(began=0, ended=30, answered=False)
    calls.note(began=30, ended=60, answered=False)
    assert (calls.take(), calls.take()) == (Calls(False, 60.0), Calls())


def test_an_answer_ends_an_unanswered_time(calls):
    calls.note(began=0, ended=30, answered=False)
    calls.note(began=31, ended=32, answered=True)
    assert calls.take() == Calls(True, None)


def test_an_unanswered_time_does_not_reach_back_before_an_answer(calls):
    calls.note(began=5, ended=10, answered=True)
    calls.note(began=0, ended=30, answered=False)
    assert calls.take() == Calls(True, 20.0)


def test_calls_to_another_address_do_not_count(calls):
    calls.note(began=0, ended=30, answered=False)
    assert of_this_process.take("here") == Calls()


@pytest.mark.parametrize(
    ("fault", "answered"),
    [({"kind": "status", "status": 503}, False), ({"kind": "status", "status": 429}, True), (None, True)],
)
def test_any_answer_of_heygen_counts_but_not_a_gateways(sandbox, settings, fault, answered):
    if fault:
        sandbox.fault(**fault, method="GET", path="/v3/users/me", times=9)
    with contextlib.suppress(HeyGenError):
        get_client().get_account()
    found = of_this_process.take(settings.HEYGEN_BASE_URL)
    assert (found.answered, found.unanswered_seconds is None) == (answered, answered)


# ── Noticed


@pytest.mark.django_db(transaction=True)
def test_an_unanswered_call_of_a_task_is_noted_after_the_task(silent, owner):
    make_video(owner, Status.RENDERING, provider_video_id="v1", due_at=seconds_from_now(-1))
    before = timezone.now()
    with inline_worker() as worker:
        worker.run(jobs.POLL)
    since = gate().unanswered_since
    assert since is not None
    assert before <= since <= timezone.now()


def test_a_task_costs_no_statement_more_while_heygen_answers(sandbox):
    get_client().get_account()
    assert queries_of(outages.record_calls) == 0


def test_an_answer_in_the_process_that_noted_it_ends_an_outage(sandbox):
    outages.note_outage(5)
    get_client().get_account()
    outages.record_calls()
    assert gate().unanswered_since is None


def test_nothing_is_probed_while_no_call_went_unanswered(silent, settings):
    outages.probe()
    assert of_this_process.take(settings.HEYGEN_BASE_URL) == Calls()


# ── Alarmed


def test_a_minute_without_an_answer_alarms_nobody(silent):
    unanswered_for(timedelta(minutes=1))
    outages.probe()
    assert (OperatorAlarm.objects.count(), gate().status_text) == (0, "ok")
    assert ProviderOutage.objects.filter(is_over=False).count() == 1


def test_two_minutes_without_an_answer_alarm_staff_once(silent, anonymous):
    unanswered_for(ALARMED)
    for _ in range(3):
        outages.probe()
    (alarm,) = OperatorAlarm.objects.all()
    assert (alarm.code, alarm.count, subjects()) == ("provider_unreachable", 1, ["Alarm: provider_unreachable"])
    for part in (BEAT, *status.queue_names()):
        sending.record_heartbeat(part)
    since = f"unreachable since {gate().unanswered_since:%Y-%m-%d %H:%M} UTC"
    parts = anonymous.get("/readyz").json()["data"]["parts"]
    assert (gate().status_text, parts["provider"]) == (since, since)


def test_every_page_of_the_admin_says_so(silent, client):
    unanswered_for(ALARMED)
    outages.probe()
    client.force_login(User.objects.create_superuser("staff@example.com", "a long password of staff"))
    assert "HeyGen unreachable since" in client.get("/admin/").content.decode()


def test_one_kind_of_call_that_fails_alone_is_no_outage(sandbox, owner):
    """Say orders, while reads are answered: their back-off stays."""
    video = make_video(owner, Status.SUBMITTING, tries=3, due_at=seconds_from_now(300))
    unanswered_for(ALARMED)
    outages.probe()
    assert (gate().unanswered_since, ProviderOutage.objects.count(), OperatorAlarm.objects.count()) == (None, 0, 0)
    assert fresh(video) == video
    assert fresh(video).due_at > timezone.now()


# ── Over


def test_all_that_waits_is_due_once_heygen_answers(sandbox, owner, avatar, woken, django_capture_on_commit_callbacks):
    later = seconds_from_now(300)
    waiting = [
        make_video(owner, status, avatar=avatar, tries=tries, due_at=later)
        for status, tries in ((Status.SUBMITTING, 2), (Status.STORING, 2), (Status.RENDERING, 0))
    ]
    leased = make_video(owner, Status.STORING, avatar=avatar, due_at=later)
    make_outage(ALARMED)
    with django_capture_on_commit_callbacks(execute=True):
        outages.probe()
    due = set(Video.objects.due().values_list("pk", flat=True))
    assert (due, fresh(leased).due_at) == ({video.pk for video in waiting}, later)
    assert {("videos.sweep",), ("videos.poll",), ("videos.dispatch",)} <= set(woken)


def test_staff_are_mailed_when_heygen_answers_again(sandbox, silent, settings):
    unanswered_for(ALARMED)
    outages.probe()
    settings.HEYGEN_BASE_URL = sandbox.url
    outages.probe()
    assert subjects() == ["Alarm: provider_unreachable", "HeyGen answers again"]
    assert (gate().status_text, gate().unreachable_since) == ("ok", None)
    assert ProviderOutage.objects.get().is_over


def test_a_short_outage_ends_without_a_mail(sandbox):
    make_outage(timedelta(seconds=30))
    outages.probe()
    assert (subjects(), ProviderOutage.objects.get().is_over) == ([], True)


def test_a_refusal_ends_an_outage_too(sandbox, settings):
    settings.HEYGEN_API_KEY = "wrong"
    make_outage(ALARMED)
    outages.probe()
    assert gate().unanswered_since is None


# ── The gate


def half_open_with(owner, avatar, *, in_flight: int) -> None:
    for _ in range(in_flight):
        make_video(owner, Status.RENDERING, avatar=avatar, submitted_at=seconds_from_now(-600))
    provider_gate.trip(OperatorProblem("insufficient_credit"))
    ProviderState.objects.update(closed_until=timezone.now())


def test_a_good_balance_reopens_the_gate_where_no_slot_is_free(sandbox, owner, avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 2
    half_open_with(owner, avatar, in_flight=2)
    assert (provider_gate.half_open(), gate().status_text) == (False, "ok")


def test_a_gate_that_waits_for_a_render_is_not_reopened_by_a_balance(sandbox, owner, avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 2
    half_open_with(owner, avatar, in_flight=2)
    ProviderState.objects.update(until_rendered=True)
    assert (provider_gate.half_open(), gate().needs_staff) == (False, True)


def test_an_empty_wallet_keeps_the_gate_shut_where_no_slot_is_free(sandbox, owner, avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 2
    sandbox.wallet(0)
    half_open_with(owner, avatar, in_flight=2)
    assert (provider_gate.half_open(), gate().needs_staff) == (False, True)


def test_a_free_slot_is_still_probed_by_an_order(sandbox, owner, avatar, settings):
    settings.HEYGEN_MAX_CONCURRENT = 2
    half_open_with(owner, avatar, in_flight=1)
    assert (provider_gate.half_open(), gate().needs_staff) == (True, True)


def test_the_gate_may_probe_at_once_after_an_outage(sandbox):
    provider_gate.trip(OperatorProblem("insufficient_credit"))
    ProviderState.objects.update(closed_until=seconds_from_now(600))
    make_outage(ALARMED)
    outages.probe()
    assert gate().closed_until <= timezone.now()


def test_unknown_is_what_a_silent_heygen_raises(silent):
    with pytest.raises(Unknown):
        get_client().get_account()
