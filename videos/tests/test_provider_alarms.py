"""Alarms about the provider: mails to staff at their start and end, and a badge on every admin page."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from genvid.heygen.heygen_errors import Busy, OperatorProblem
from genvid.tests.factories import PASSWORD, make_video
from genvid.tests.mail import send_due_mail
from genvid.tests.parallel import in_parallel
from videos.models import ProviderState
from videos.pipeline import sweeper
from videos.provider import provider_alarms, provider_gate
from videos.tests.pipeline import gate

pytestmark = pytest.mark.django_db
EMPTY = OperatorProblem("insufficient_credit", "Your wallet is empty")


@pytest.fixture(autouse=True)
def reachable_staff(settings):
    settings.ALARM_EMAILS = ["ops@example.com"]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", PASSWORD))
    return client


def subjects() -> list[str]:
    """The subjects of the mails to staff so far."""
    send_due_mail("staff_alarm")
    return [message.subject.removeprefix("[genvid] ") for message in mail.outbox]


def test_an_empty_wallet_at_heygen_mails_staff(owner):
    make_video(owner)
    provider_gate.trip(EMPTY)
    assert (provider_alarms.mail_staff_changes(), subjects()) == (True, ["HeyGen takes no orders"])
    (message,) = mail.outbox
    assert (message.subject, message.to) == ("[genvid] HeyGen takes no orders", ["ops@example.com"])
    assert ["insufficient_credit" in message.body, "1 videos wait" in message.body] == [True, True]


def test_the_mail_of_an_alarm_is_enqueued_on_commit(woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as waiting:
        provider_gate.trip(EMPTY)
    assert woken == []
    for callback in waiting:
        callback()
    assert woken == [("videos.alarm_staff",)]


def test_a_gate_that_closes_again_mails_nobody_again(woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        provider_gate.trip(EMPTY)
        provider_gate.trip(EMPTY)
    assert woken == [("videos.alarm_staff",)]
    provider_alarms.mail_staff_changes()
    assert (provider_alarms.mail_staff_changes(), subjects()) == (False, ["HeyGen takes no orders"])


def test_a_busy_provider_mails_nobody():
    provider_gate.trip(Busy("rate_limit_exceeded", retry_after=30))
    assert (provider_alarms.mail_staff_changes(), subjects()) == (False, [])


def test_an_alarm_dates_from_the_first_closing_of_the_gate():
    provider_gate.trip(EMPTY)
    first = gate().needs_staff_since
    provider_gate.trip(EMPTY)
    assert gate().needs_staff_since == first


def test_staff_are_mailed_when_an_alarm_is_over():
    provider_gate.trip(EMPTY)
    provider_alarms.mail_staff_changes()
    provider_gate.reopen()
    provider_alarms.mail_staff_changes()
    assert (subjects(), gate().needs_staff_since) == (["HeyGen takes no orders", "HeyGen takes orders again"], None)


def test_staff_are_mailed_about_a_pause_and_its_end():
    provider_gate.pause("sam@example.com")
    provider_alarms.mail_staff_changes()
    provider_gate.resume("sam@example.com")
    provider_alarms.mail_staff_changes()
    assert subjects() == ["Orders to HeyGen are paused", "HeyGen takes orders again"]
    assert "sam@example.com paused it" in mail.outbox[0].body


def test_an_alarm_that_is_over_before_its_mail_is_not_mailed():
    provider_gate.trip(EMPTY)
    provider_gate.reopen()
    assert (provider_alarms.mail_staff_changes(), subjects()) == (False, [])


def test_an_alarm_whose_job_was_lost_is_mailed_by_the_sweep():
    provider_gate.trip(EMPTY)
    sweeper.sweep_all()
    assert subjects() == ["HeyGen takes no orders"]


@pytest.mark.django_db(transaction=True)
def test_one_of_many_concurrent_workers_mails_an_alarm():
    provider_gate.trip(EMPTY)
    assert sorted(in_parallel([provider_alarms.mail_staff_changes] * 4)) == [False, False, False, True]
    assert subjects() == ["HeyGen takes no orders"]


def test_no_alarm_is_mailed_without_addresses_of_staff(settings):
    settings.ALARM_EMAILS = []
    provider_gate.trip(EMPTY)
    assert (provider_alarms.mail_staff_changes(), subjects(), gate().staff_told) == (True, [], "closed")


# ── On the staff's pages


def badge_on(staff: Client, address: str = "admin:index") -> list[str] | None:
    return staff.get(reverse(address)).context["environment"]


@pytest.mark.parametrize("address", ["admin:index", "admin:videos_video_changelist", "admin:accounts_user_changelist"])
def test_every_admin_page_shows_why_the_gate_is_closed_and_since_when(staff, address):
    provider_gate.trip(EMPTY)
    since = gate().needs_staff_since
    text = f"HeyGen closed: insufficient_credit since {since:%b %d %H:%M} UTC"
    assert badge_on(staff, address) == [text, "danger"]
    assert text.encode() in staff.get(reverse(address)).content


def test_every_admin_page_shows_a_pause(staff):
    provider_gate.pause("sam@example.com")
    assert badge_on(staff) == [f"HeyGen paused since {gate().paused_at:%b %d %H:%M} UTC", "danger"]


@pytest.mark.parametrize("closing", [None, Busy("rate_limit_exceeded", retry_after=30)])
def test_admin_pages_show_no_alarm_while_nobody_is_needed(staff, closing):
    if closing:
        provider_gate.trip(closing)
    assert badge_on(staff) is None


def test_the_login_page_of_the_admin_shows_no_alarm(client):
    ProviderState.objects.create(name=provider_gate.NAME, needs_staff=True, code="unauthorized")
    assert b"unauthorized" not in client.get(reverse("admin:login")).content
