"""Warnings of low credits: once per fall below the threshold."""

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
    """An owner with 30 credits, whose warning is armed; fewer than 10 are low."""
    assert low_balance.mail_low_balances() == 0
    return owner


def test_low_credits_publish_an_event(used_to_more):
    make_endpoint(used_to_more)
    spend(used_to_more, 21)
    assert low_balance.mail_low_balances() == 1
    event = OutgoingEvent.objects.get(type="credits.low")
    assert json.loads(event.body)["data"] == data_of(used_to_more.client.get("/api/v1/billing/wallet"))
    assert json.loads(event.body)["data"]["available"] == 9


def test_low_credits_mail_the_owner(used_to_more, mailoutbox):
    spend(used_to_more, 21)
    low_balance.mail_low_balances()
    send_due_mail("billing.")
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [(["owner@example.com"], "Your credits are running low")]
    assert "9 credits are left" in mailoutbox[0].body


def test_low_credits_mail_no_owner_who_opted_out(used_to_more, mailoutbox):
    User.objects.update(email_notifications=False)
    spend(used_to_more, 21)
    low_balance.mail_low_balances()
    send_due_mail("billing.")
    assert mailoutbox == []


def test_low_credits_are_reported_once(used_to_more):
    spend(used_to_more, 21)
    assert [low_balance.mail_low_balances(), low_balance.mail_low_balances()] == [1, 0]


def test_ten_credits_are_not_low(used_to_more):
    spend(used_to_more, 20)
    assert low_balance.mail_low_balances() == 0


def test_held_credits_count_as_spent_for_the_low_credits_warning(used_to_more):
    hold(used_to_more.account.pk, 25, reference="video:1")
    assert low_balance.mail_low_balances() == 1
    release("video:1")
    assert low_balance.mail_low_balances() == 0


def test_low_credits_are_reported_again_after_new_credits(used_to_more):
    spend(used_to_more, 21)
    low_balance.mail_low_balances()
    grant(used_to_more, 100)
    low_balance.mail_low_balances()
    spend(used_to_more, 100)
    assert (low_balance.mail_low_balances(), QueuedMail.objects.filter(kind="billing.credits_low").count()) == (1, 2)


def test_an_account_that_never_had_more_credits_is_not_warned(owner, settings):
    settings.LOW_CREDITS = 100
    assert low_balance.mail_low_balances() == 0
