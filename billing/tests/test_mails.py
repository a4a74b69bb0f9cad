"""Mails about money: written once, sent to owners; those of the previous release are moved to the outbox."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.enums import Role
from accounts.models import User
from billing import jobs, mails, money
from billing.enums import MailKind
from billing.models import Letter
from genvid.mail import outbox
from genvid.mail.models import QueuedMail
from genvid.tests.factories import make_payment, make_teammate
from genvid.tests.jobs import run_job
from genvid.tests.mail import alarms, send_due_mail
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db


@pytest.fixture
def receipt(owner):
    """Template values of a mail about a payment."""
    return {"account_id": owner.account.pk, "payment_id": str(make_payment(owner).pk)}


def about_money() -> list[str]:
    kinds = QueuedMail.objects.filter(kind__startswith="billing.").order_by("pk").values_list("kind", flat=True)
    return list(kinds)


def test_a_mail_of_one_kind_and_reference_is_sent_once(receipt, mailoutbox):
    for _ in range(2):
        mails.write_mail(MailKind.RECEIPT, "in_1", **receipt)
        send_due_mail("billing.")
    mails.write_mail(MailKind.RECEIPT, "in_2", **receipt)
    assert (len(mailoutbox), about_money()) == (1, ["billing.receipt"] * 2)


@pytest.mark.django_db(transaction=True)
def test_a_mail_of_a_transaction_that_is_rolled_back_is_never_sent(receipt):
    with pytest.raises(RuntimeError), transaction.atomic():
        mails.write_mail(MailKind.RECEIPT, "in_1", **receipt)
        raise RuntimeError
    assert about_money() == []


def test_mails_about_money_go_to_every_owner_and_no_other_member(owner, receipt, mailoutbox):
    second, _ = make_teammate(owner, Role.OWNER), make_teammate(owner, Role.ADMIN)
    mails.write_mail(MailKind.RECEIPT, "in_1", **receipt)
    send_due_mail("billing.")
    (mail,) = mailoutbox
    assert mail.to == sorted([owner.user.email, second.user.email])


def test_a_mail_about_a_payment_that_is_gone_is_deleted_unsent(owner, mailoutbox):
    nobody = "00000000-0000-4000-8000-000000000000"
    mails.write_mail(MailKind.RECEIPT, "x", account_id=owner.account.pk, payment_id=nobody)
    send_due_mail("billing.")
    assert (mailoutbox, about_money()) == ([], [])


def test_mails_of_an_account_are_deleted_with_it(owner, receipt):
    mails.write_mail(MailKind.RECEIPT, "in_1", **receipt)
    outbox.delete_mails_about(account=owner.account.pk)
    assert about_money() == []


def test_alarms_go_to_the_configured_addresses(settings, mailoutbox):
    settings.ALARM_EMAILS = ["ops@example.com"]
    for _ in range(2):
        mails.alarm_staff("du_1", "A payment is disputed.")
    send_due_mail("staff_alarm")
    assert [(mail.to, mail.subject, mail.body) for mail in mailoutbox] == [
        (["ops@example.com"], "[genvid] Billing needs your attention", "A payment is disputed.\n\ndu_1\n")
    ]


def test_a_reference_as_long_as_its_column_fits_the_key():
    mails.alarm_staff("r" * 160, "Look.")
    assert list(alarms("billing")) == ["r" * 160]


# ── Mails of the previous release


@pytest.fixture
def unsent(owner, receipt):
    words = {"payment_id": receipt["payment_id"]}
    return Letter.objects.create(account=owner.account, kind="receipt", reference="in_1", words=words)


def test_a_former_mail_that_is_unsent_is_sent_once(unsent, mailoutbox):
    assert [mails.move_former_mails_to_outbox(), mails.move_former_mails_to_outbox()] == [1, 0]
    send_due_mail("billing.")
    assert [(mail.to, "Receipt" in mail.subject) for mail in mailoutbox] == [(["owner@example.com"], True)]


def test_a_former_alarm_that_is_unsent_is_sent(settings, mailoutbox):
    settings.ALARM_EMAILS = ["ops@example.com"]
    Letter.objects.create(kind="staff_alarm", reference="du_1", words={"text": "A payment is disputed."})
    mails.move_former_mails_to_outbox()
    send_due_mail("staff_alarm")
    assert [mail.body for mail in mailoutbox] == ["A payment is disputed.\n\ndu_1\n"]


@pytest.mark.django_db(transaction=True)
def test_of_many_parallel_sweeps_one_moves_a_former_mail(unsent):
    assert sum(in_parallel([mails.move_former_mails_to_outbox] * 4)) == 1
    assert about_money() == ["billing.receipt"]


def test_a_former_mail_claimed_by_the_previous_release_is_not_moved(unsent):
    Letter.objects.update(due_at=timezone.now() + timedelta(seconds=60), tries=1)
    assert (mails.move_former_mails_to_outbox(), about_money()) == (0, [])


def test_a_mail_that_the_previous_release_wrote_is_not_written_again(unsent, receipt):
    Letter.objects.create(kind="staff_alarm", reference="du_1", due_at=None)
    mails.write_mail(MailKind.RECEIPT, "in_1", **receipt)
    mails.alarm_staff("du_1", "A payment is disputed.")
    assert (about_money(), alarms("billing")) == ([], {})


def test_the_job_of_the_previous_release_moves_due_mails(unsent):
    run_job(jobs.SEND_FORMER_MAIL, str(unsent.pk))
    assert about_money() == ["billing.receipt"]


def test_former_mails_are_deleted_after_ninety_days_unless_unsent(unsent):
    Letter.objects.create(kind="receipt", reference="in_2", due_at=None)
    assert mails.delete_former_mails() == 0
    Letter.objects.update(created_at=timezone.now() - timedelta(days=91))
    assert (mails.delete_former_mails(), Letter.objects.get()) == (1, unsent)


# ── Texts

WORDS = {
    MailKind.RECEIPT: {},
    MailKind.REFUND: {"amount": 300},
    MailKind.PAYMENT_FAILED: {"amount": 1900, "currency": "usd", "next_attempt": "2026-05-04 12:00", "url": ""},
    MailKind.DOWNGRADED: {},
    MailKind.TRIAL_ENDING: {"ends": "2026-05-04 12:00"},
    MailKind.CREDITS_LOW: {"available": 9},
    MailKind.TOP_UP_NEEDS_ACTION: {"amount": 1200, "currency": "usd", "url": "https://pay.example.com/"},
    MailKind.TOP_UP_FAILED: {"amount": 1200, "currency": "usd", "url": "", "again": "2026-05-04 12:00"},
}
SHOWN = {
    MailKind.RECEIPT: ("12.00 USD", "12.00 USD"),
    MailKind.REFUND: ("Refund of 3.00 USD", "Erstattung von 3.00 USD"),
    MailKind.PAYMENT_FAILED: ("19.00 USD for your genvid subscription failed. We try again on 2026-05-04.", "19.00"),
    MailKind.DOWNGRADED: ("has the free tier for now", "kostenlosen Tarif"),
    MailKind.TRIAL_ENDING: ("ends on 2026-05-04;", "endet am 2026-05-04;"),
    MailKind.CREDITS_LOW: ("9 credits are left", "noch 9 Credits"),
    MailKind.TOP_UP_NEEDS_ACTION: ("Pay here:\nhttps://pay.example.com/", "hier:\nhttps://pay.example.com/"),
    MailKind.TOP_UP_FAILED: ("We try again on 2026-05-04.", "Am 2026-05-04 versuchen"),
}


@pytest.mark.parametrize("german", [False, True], ids=["english", "german"])
@pytest.mark.parametrize("kind", sorted(SHOWN))
def test_every_mail_about_money_has_subject_and_text(owner, receipt, mailoutbox, kind, german):
    User.objects.update(preferred_language="de" if german else "en")
    words = receipt | WORDS[kind] if kind in (MailKind.RECEIPT, MailKind.REFUND) else WORDS[kind]
    mails.write_mail(kind, "x", **{"account_id": owner.account.pk} | words)
    send_due_mail("billing.")
    (mail,) = mailoutbox
    said = f"{mail.subject}\n{mail.body}"
    assert (SHOWN[kind][german] in said, "{" in said, "None" in said) == (True, False, False)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        *[(1250, "usd", "12.50 USD"), (5, "eur", "0.05 EUR"), (-300, "usd", "-3.00 USD")],
        *[(1250, "jpy", "1250 JPY"), (1250, "ugx", "12.50 UGX"), (-1250, "kwd", "-1.250 KWD"), (0, "usd", "0.00 USD")],
    ],
)
def test_amounts_are_shown_in_whole_units(amount, currency, shown):
    assert money.money_text(amount, currency) == shown
