"""Accounts hear once, each time, that their credits run low."""

import json

import pytest

from accounts.models import OutgoingEvent, User
from billing.credits import hold, release
from billing.purchases import low_balance
from billing.tests.shop import spend
from genvid.mail.models import QueuedMail
from genvid.tests.asserts import data_of
from genvid.tests.factories import grant, make_endpoint
from genvid.tests.mail import send_due_mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def used_to_more(owner):
    """Had thirty credits when the schedule last looked; ten are few."""
    assert low_balance.mail_low_balances() == 0
    return owner


def test_who_has_few_left_is_told(used_to_more):
    make_endpoint(used_to_more)
    spend(used_to_more, 21)
    assert low_balance.mail_low_balances() == 1
    event = OutgoingEvent.objects.get(type="credits.low")
    assert json.loads(event.body)["data"] == data_of(used_to_more.client.get("/api/v1/billing/wallet"))
    assert json.loads(event.body)["data"]["available"] == 9


def test_and_gets_a_letter(used_to_more, mailoutbox):
    spend(used_to_more, 21)
    low_balance.mail_low_balances()
    send_due_mail("billing.")
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [(["owner@example.com"], "Your credits are running low")]
    assert "9 credits are left" in mailoutbox[0].body


def test_who_wants_no_such_mails_gets_none(used_to_more, mailoutbox):
    User.objects.update(email_notifications=False)
    spend(used_to_more, 21)
    low_balance.mail_low_balances()
    send_due_mail("billing.")
    assert mailoutbox == []


def test_once_is_enough(used_to_more):
    spend(used_to_more, 21)
    assert [low_balance.mail_low_balances(), low_balance.mail_low_balances()] == [1, 0]


def test_ten_are_not_few(used_to_more):
    spend(used_to_more, 20)
    assert low_balance.mail_low_balances() == 0


def test_what_is_held_counts_as_gone(used_to_more):
    hold(used_to_more.account.pk, 25, reference="video:1")
    assert low_balance.mail_low_balances() == 1
    release("video:1")
    assert low_balance.mail_low_balances() == 0


def test_after_new_credits_it_is_told_anew(used_to_more):
    spend(used_to_more, 21)
    low_balance.mail_low_balances()
    grant(used_to_more, 100)
    low_balance.mail_low_balances()
    spend(used_to_more, 100)
    assert (low_balance.mail_low_balances(), QueuedMail.objects.filter(kind="billing.credits_low").count()) == (1, 2)


def test_who_never_had_more_is_not_told(owner, settings):
    settings.LOW_CREDITS = 100
    assert low_balance.mail_low_balances() == 0
