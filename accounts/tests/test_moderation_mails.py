"""The mails that tell what staff have decided on a text."""

import uuid

import pytest

from accounts.enums import Outcome, ReviewState, Role
from accounts.models import Membership, ReviewedText, User
from accounts.moderation import staff_acts
from accounts.tests.moderation import make_rule, refusal_of_texts
from genvid.errors import InvalidState
from genvid.mail.models import QueuedMail
from genvid.tests.asserts import nothing_changes
from genvid.tests.factories import make_teammate
from genvid.tests.mail import send_due_mail

pytestmark = pytest.mark.django_db
KIND = "accounts.text_reviewed"


@pytest.fixture
def member(owner):
    return make_teammate(owner, Role.MEMBER)


@pytest.fixture
def text(member) -> ReviewedText:
    make_rule("doubtful", outcome=Outcome.REVIEW)
    refusal_of_texts(member, script="A doubtful text.")
    return ReviewedText.objects.get()


@pytest.fixture
def staff(db) -> User:
    return User.objects.create_superuser("staff@example.com", "correct horse battery staple")


def decide(text: ReviewedText, state: ReviewState, staff: User, answer: str = "") -> None:
    staff_acts.decide(text, state, staff_id=staff.pk, token=uuid.uuid4(), answer=answer)


def sent(mailoutbox) -> list[tuple[str, list[str]]]:
    send_due_mail(KIND)
    return [(mail.subject, mail.to) for mail in mailoutbox]


def test_the_sender_hears_that_a_text_may_be_used(text, member, staff, mailoutbox):
    decide(text, ReviewState.ALLOWED, staff)
    assert sent(mailoutbox) == [("Your text may be used", [member.user.email])]
    assert 'a text that you sent: "A doubtful text."' in mailoutbox[0].body
    assert "under a new Idempotency-Key" in mailoutbox[0].body


def test_the_sender_hears_why_a_text_was_refused(text, member, staff, mailoutbox):
    decide(text, ReviewState.REFUSED, staff, "Nothing about doubts.")
    assert sent(mailoutbox) == [("Your text was refused", [member.user.email])]
    assert "Nothing about doubts." in mailoutbox[0].body


def test_german_people_hear_it_in_german(text, member, staff, mailoutbox):
    User.objects.update(preferred_language="de")
    decide(text, ReviewState.ALLOWED, staff)
    assert sent(mailoutbox) == [("Ihr Text darf verwendet werden", [member.user.email])]


def test_the_owners_hear_of_the_text_of_somebody_gone(text, owner, member, staff, mailoutbox):
    Membership.objects.filter(user=member.user).delete()
    decide(text, ReviewState.ALLOWED, staff)
    assert sent(mailoutbox) == [("Your text may be used", [owner.user.email])]
    assert 'a text that your account sent: "A doubtful text."' in mailoutbox[0].body


def test_who_wants_no_notifications_gets_no_mail(text, member, staff, mailoutbox):
    User.objects.filter(pk=member.user.pk).update(email_notifications=False)
    decide(text, ReviewState.ALLOWED, staff)
    assert sent(mailoutbox) == []


def test_a_decision_that_was_changed_before_its_mail_went_is_not_told(text, member, staff, mailoutbox):
    decide(text, ReviewState.ALLOWED, staff)
    decide(text, ReviewState.REFUSED, staff, "On second thoughts, no.")
    assert sent(mailoutbox) == [("Your text was refused", [member.user.email])]


def test_a_decision_that_somebody_has_made_already_sends_no_second_mail(text, staff):
    decide(text, ReviewState.ALLOWED, staff)
    with nothing_changes(), pytest.raises(InvalidState):
        decide(text, ReviewState.ALLOWED, staff)
    assert QueuedMail.objects.filter(kind=KIND).count() == 1
