"""The mails about own avatars and voices."""

from dataclasses import replace

import pytest

from accounts.caller import Caller
from accounts.models import User
from avatars.enums import CreationKind
from avatars.models import Creation
from avatars.own import changes, settlement
from avatars.tests.own_entries import order
from genvid.mail import delivery
from genvid.mail.models import QueuedMail
from genvid.tests.factories import make_caller, make_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_caller(email="owner@example.com", balance=100)


def ended(
    owner, *, is_ready: bool, kind: CreationKind = CreationKind.PHOTO_AVATAR, caller: Caller | None = None
) -> Creation:
    creation = order(owner, kind, caller=caller, stored=False)
    Creation.objects.filter(pk=creation.pk).update(status="creating")
    creation.refresh_from_db()
    if is_ready:
        settlement.complete(creation, {"provider_id": "look_1"})
    else:
        settlement.fail(creation, code="footage_refused", message="No face in it.", reason="failed_at_provider")
    return creation


def sent(mailoutbox) -> list[tuple[str, list[str]]]:
    for mail in QueuedMail.objects.filter(kind__startswith="avatars.", sent_at=None):
        delivery.send(mail.pk)
    return [(message.subject, message.to) for message in mailoutbox]


@pytest.mark.parametrize(("is_ready", "subject"), [(True, '"Ada" is ready'), (False, '"Ada" could not be made')])
def test_the_person_who_ordered_it_hears_of_its_end(owner, mailoutbox, is_ready, subject):
    ended(owner, is_ready=is_ready)
    assert sent(mailoutbox) == [(subject, ["owner@example.com"])]


@pytest.mark.parametrize("is_ready", [True, False])
def test_what_a_key_ordered_is_told_by_no_mail(owner, mailoutbox, is_ready):
    ended(owner, is_ready=is_ready, caller=replace(owner.caller, key_id=make_key(owner).key.pk))
    assert sent(mailoutbox) == []


def test_the_mail_says_what_it_cost(owner, mailoutbox):
    ended(owner, is_ready=True, kind=CreationKind.VOICE_CLONE)
    sent(mailoutbox)
    assert "Your own voice" in mailoutbox[0].body
    assert "It cost 10 credits." in mailoutbox[0].body


def test_the_mail_says_why_it_failed(owner, mailoutbox):
    ended(owner, is_ready=False)
    sent(mailoutbox)
    assert "No face in it." in mailoutbox[0].body


def test_german_people_get_a_german_mail(owner, mailoutbox):
    User.objects.update(preferred_language="de")
    ended(owner, is_ready=True)
    assert sent(mailoutbox)[0][0] == '"Ada" ist fertig'


def test_who_wants_no_notifications_gets_none(owner, mailoutbox):
    User.objects.update(email_notifications=False)
    ended(owner, is_ready=True)
    assert sent(mailoutbox) == []


def test_one_that_was_deleted_meanwhile_is_not_mentioned(owner, mailoutbox):
    changes.delete(owner.caller, ended(owner, is_ready=True))
    assert sent(mailoutbox) == []
