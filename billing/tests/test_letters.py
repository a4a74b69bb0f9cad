"""Mails about money: each is owed until it is sent, and sent once."""

from datetime import timedelta

import pytest
import time_machine
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from billing import mail, money
from billing.enums import LetterKind
from billing.models import Letter
from billing.services import letters
from genvid.tests.factories import make_payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter(owner):
    letters.write(LetterKind.RECEIPT, "in_1", account_id=owner.account.pk, payment_id=str(make_payment(owner).pk))
    return Letter.objects.get()


def test_a_letter_of_one_thing_is_owed_once(owner, letter):
    letters.write(LetterKind.RECEIPT, "in_1", account_id=owner.account.pk, payment_id="another")
    assert Letter.objects.count() == 1


def test_it_is_sent_and_owed_no_more(letter, mailoutbox):
    assert [letters.send(letter.pk), letters.send(letter.pk)] == [True, False]
    letter.refresh_from_db()
    assert (len(mailoutbox), letter.due_at, letter.sent_at is not None) == (1, None, True)


def test_a_mail_server_that_is_away_is_tried_again(letter, mailoutbox, monkeypatch):
    def refuse(*_: object) -> int:
        raise OSError("connection refused")

    with monkeypatch.context() as away:
        away.setattr(EmailBackend, "send_messages", refuse)
        assert letters.send(letter.pk) is False
    letter.refresh_from_db()
    assert (letter.sent_at, letter.due_at > timezone.now()) == (None, True)
    with time_machine.travel(letter.due_at + timedelta(seconds=1), tick=True):
        assert letters.send(letter.pk) is True
    assert len(mailoutbox) == 1


def test_one_that_cannot_be_written_is_given_up_in_the_end(owner):
    nobody = {"payment_id": "00000000-0000-4000-8000-000000000000"}
    letters.write(LetterKind.RECEIPT, "x", account_id=owner.account.pk, **nobody)
    for _ in range(letters.TRIES):
        Letter.objects.update(due_at=timezone.now())
        assert letters.send(Letter.objects.get().pk) is False
    assert (Letter.objects.get().due_at, Letter.objects.get().sent_at) == (None, None)


def test_one_that_a_dead_worker_took_is_sent_by_the_next(letter, mailoutbox):
    now = timezone.now()
    Letter.objects.update(due_at=now + letters.LEASE, tries=1)
    assert letters.send(letter.pk) is False
    with time_machine.travel(now + letters.LEASE + timedelta(seconds=1), tick=True):
        assert (letters.sweep(), letters.send(letter.pk)) == (1, True)
    assert len(mailoutbox) == 1


def test_letters_to_staff_go_to_whom_the_operator_named(settings, mailoutbox):
    settings.ALARM_EMAILS = ["ops@example.com"]
    letters.alarm("du_1", "A payment is disputed.")
    letters.send(Letter.objects.get().pk)
    assert [(mail.to, mail.body) for mail in mailoutbox] == [(["ops@example.com"], "A payment is disputed.\n\ndu_1\n")]


def test_old_ones_are_forgotten(letter):
    letters.send(letter.pk)
    assert letters.forget_old() == 0
    Letter.objects.update(created_at=timezone.now() - timedelta(days=91))
    assert letters.forget_old() == 1


def test_one_that_is_still_owed_is_not(letter):
    Letter.objects.update(created_at=timezone.now() - timedelta(days=91))
    assert letters.forget_old() == 0


WORDS = {
    LetterKind.REFUND: {"amount": 300},
    LetterKind.PAYMENT_FAILED: {"amount": 1900, "currency": "usd", "next_attempt": "2026-05-04 12:00", "url": ""},
    LetterKind.TRIAL_ENDING: {"ends": "2026-05-04 12:00"},
    LetterKind.CREDITS_LOW: {"available": 9},
    LetterKind.TOP_UP_NEEDS_ACTION: {"amount": 1200, "currency": "usd", "url": "https://pay.example.com/"},
    LetterKind.TOP_UP_FAILED: {"amount": 1200, "currency": "usd", "url": "", "again": "2026-05-04 12:00"},
    LetterKind.STAFF_ALARM: {"text": "Look."},
}


@pytest.mark.parametrize("kind", LetterKind)
def test_every_kind_has_words(owner, kind):
    words = {"payment_id": str(make_payment(owner).pk)} | WORDS.get(kind, {})
    subject, text = mail.compose(Letter(kind=kind, words=words, reference="x"))
    assert subject and "{" not in text and "None" not in text


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        *[(1250, "usd", "12.50 USD"), (5, "eur", "0.05 EUR"), (-300, "usd", "-3.00 USD")],
        *[(1250, "jpy", "1250 JPY"), (1250, "ugx", "12.50 UGX"), (-1250, "kwd", "-1.250 KWD"), (0, "usd", "0.00 USD")],
    ],
)
def test_amounts_are_shown_in_whole_units(amount, currency, shown):
    assert money.shown(amount, currency) == shown
