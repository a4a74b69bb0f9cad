"""The mail outbox: written with its reason, sent once, retried for a day, then reported to staff."""

import re
import smtplib
import socket
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from structlog.testing import capture_logs

from accounts.enums import MailKind
from accounts.models import User
from avatars.enums import MailKind as AvatarMailKind
from billing.enums import MailKind as BillingMailKind
from genvid.mail import composing, delivery, gauges, jobs, outbox, staff_alarms
from genvid.mail.composing import Message, Order, Recipient, composes
from genvid.mail.models import QueuedMail
from genvid.tests.factories import PASSWORD
from genvid.tests.jobs import run_job
from genvid.tests.mail import send_due_mail
from genvid.tests.parallel import in_parallel
from genvid.tests.test_metrics import series
from videos.enums import MailKind as VideoMailKind

pytestmark = pytest.mark.django_db
KIND = "test.note"


class NoServer:
    """A mail server that nobody reaches."""

    def __init__(self, **_: object) -> None: ...

    def send_messages(self, messages: list) -> None:
        raise smtplib.SMTPServerDisconnected(f"no server for {messages[0].to}")


@pytest.fixture(autouse=True)
def note(monkeypatch, settings, tmp_path):
    """A kind of mail for these tests, to whom its data says."""
    template = tmp_path / "test/mail/note.txt"
    template.parent.mkdir(parents=True)
    template.write_text("A note\n\n{{ text }}\n")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    monkeypatch.setattr(composing, "_composers", dict(composing._composers))

    @composes(KIND)
    def compose(order: Order) -> Message | None:
        if order.data.get("obsolete"):
            return None
        to = [Recipient(email) for email in order.data.get("to", ["ada@example.com"])]
        return Message(to, {"text": order.data["text"]})


@pytest.fixture
def no_server(settings):
    settings.EMAIL_BACKEND = f"{__name__}.NoServer"


def owe(**data) -> QueuedMail:
    outbox.write(KIND, **{"text": "Hello."} | data)
    return QueuedMail.objects.latest("pk")


def fresh(mail: QueuedMail) -> QueuedMail:
    mail.refresh_from_db()
    return mail


def make_due(mail: QueuedMail, **changes) -> None:
    QueuedMail.objects.filter(pk=mail.pk).update(due_at=Now(), **changes)


def seconds_until_due(mail: QueuedMail) -> float:
    row = QueuedMail.objects.annotate(now=Now()).get(pk=mail.pk)
    return (row.due_at - row.now).total_seconds()


# ── Sending


def test_a_mail_is_sent_to_its_receivers(mailoutbox, settings):
    settings.DEFAULT_FROM_EMAIL = "genvid <no-reply@genvid.example>"
    owe(text="Hello, Ada.", to=["ada@example.com", "bob@example.com"])
    send_due_mail()
    (mail,) = mailoutbox
    assert (mail.subject, mail.body, mail.to, mail.from_email) == (
        *("A note", "Hello, Ada.\n", ["ada@example.com", "bob@example.com"]),
        "genvid <no-reply@genvid.example>",
    )


def test_a_mail_is_sent_once(mailoutbox):
    mail = owe()
    assert [delivery.send(mail.pk) for _ in range(3)] == [True, False, False]
    assert (len(mailoutbox), fresh(mail).due_at, mail.sent_at is not None) == (1, None, True)


def test_nothing_of_a_mail_that_was_sent_stays_but_its_kind_and_whom_it_was_about(owner):
    outbox.write(KIND, person=owner.user.pk, address="ada@example.com", text="Hello.")
    mail = QueuedMail.objects.get(kind=KIND)
    delivery.send(mail.pk)
    assert (fresh(mail).kind, mail.person, mail.address, mail.data) == (KIND, owner.user.pk, "", {})


def test_a_mail_without_receivers_is_done_with_and_not_sent(mailoutbox):
    mail = owe(to=[])
    send_due_mail()
    assert (mailoutbox, fresh(mail).due_at) == ([], None)


def test_a_mail_whose_reason_no_longer_holds_is_deleted_unsent(mailoutbox):
    owe(obsolete=True)
    send_due_mail()
    assert (mailoutbox, QueuedMail.objects.count()) == ([], 0)


@pytest.mark.django_db(transaction=True)
def test_a_mail_of_a_transaction_that_is_rolled_back_is_never_sent(mailoutbox, woken):
    with pytest.raises(RuntimeError), transaction.atomic():
        owe()
        raise RuntimeError
    assert (QueuedMail.objects.count(), woken) == (0, [])


def test_a_mail_is_enqueued_after_the_commit(woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        mail = owe()
        assert woken == []
    assert woken == [("genvid.mail.send", str(mail.pk))]


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_sends_a_mail(mailoutbox):
    mail = owe()
    assert sorted(in_parallel([lambda: delivery.send(mail.pk)] * 6)) == [False] * 5 + [True]
    assert len(mailoutbox) == 1


def test_every_kind_of_mail_has_a_composer():
    about_money = {f"billing.{kind}" for kind in BillingMailKind if kind != BillingMailKind.STAFF_ALARM}
    others = {*MailKind.values, *VideoMailKind.values, *AvatarMailKind.values, staff_alarms.KIND}
    assert composing.kinds() == about_money | others | {KIND}


# ── When the mail server is away


def test_a_mail_that_fails_is_tried_again_later(no_server, settings, mailoutbox):
    mail = owe()
    with capture_logs() as logs:
        assert delivery.send(mail.pk) is False
    assert (fresh(mail).attempts, mail.error, mail.sent_at) == (1, "SMTPServerDisconnected", None)
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["mail_retried_later"]
    assert "ada@example.com" not in str(logs)
    make_due(mail)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert (delivery.send(mail.pk), len(mailoutbox), fresh(mail).error) == (True, 1, "")


def attempts_counted(outcome: str) -> float:
    return series(Client().get("/metrics")).get(("genvid_mails_total", (KIND, outcome)), 0)


def test_attempts_are_counted_by_kind_and_outcome(no_server, settings):
    before = [attempts_counted(outcome) for outcome in ("sent", "failed", "given_up")]
    tried, lost = owe(), owe()
    QueuedMail.objects.filter(pk=lost.pk).update(first_tried_at=Now() - delivery.RETRY_PERIOD)
    delivery.send(tried.pk)
    delivery.send(lost.pk)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    make_due(tried)
    delivery.send(tried.pk)
    after = [attempts_counted(outcome) for outcome in ("sent", "failed", "given_up")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]


@pytest.mark.parametrize(("attempts", "pause"), [(0, 30), (1, 60), (3, 240), (6, 1920), (7, 3600), (40, 3600)])
def test_the_pause_before_the_next_attempt_doubles_up_to_an_hour(no_server, attempts, pause):
    mail = owe()
    QueuedMail.objects.update(attempts=attempts)
    delivery.send(mail.pk)
    row = QueuedMail.objects.annotate(now=Now()).get(pk=mail.pk)
    assert row.due_at <= row.now + timedelta(seconds=pause)
    assert row.due_at >= row.first_tried_at + timedelta(seconds=pause)


def test_a_mail_waits_as_long_as_it_takes_for_a_first_attempt(mailoutbox):
    mail = owe()
    QueuedMail.objects.update(created_at=Now() - timedelta(days=20))
    assert (delivery.send(mail.pk), len(mailoutbox)) == (True, 1)


def test_a_mail_is_not_given_up_within_a_day(no_server):
    mail = owe()
    make_due(mail, attempts=30, first_tried_at=Now() - delivery.RETRY_PERIOD + timedelta(minutes=30))
    delivery.send(mail.pk)
    assert (fresh(mail).given_up_at, mail.due_at is None) == (None, False)


def test_after_a_day_of_retries_a_mail_is_given_up_and_staff_get_one_alarm(no_server, settings, mailoutbox):
    settings.ALARM_EMAILS = ["ops@example.com"]
    mails = [owe(), owe()]
    QueuedMail.objects.update(first_tried_at=Now() - delivery.RETRY_PERIOD)
    with capture_logs() as logs:
        for mail in mails:
            delivery.send(mail.pk)
    assert [(fresh(mail).due_at, mail.given_up_at is not None) for mail in mails] == [(None, True)] * 2
    events = [entry["event"] for entry in logs if entry["log_level"] == "error"]
    assert (events.count("mail_given_up"), events.count("staff_alarm")) == (2, 1)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    send_due_mail()
    assert [(mail.subject, mail.to) for mail in mailoutbox] == [
        ("[genvid] Mail could not be sent", ["ops@example.com"])
    ]


def test_an_alarm_that_cannot_be_mailed_raises_no_alarm(no_server, settings):
    settings.ALARM_EMAILS = ["ops@example.com"]
    staff_alarms.raise_alarm("test", "1", subject="Test", text="Test.")
    QueuedMail.objects.update(first_tried_at=Now() - delivery.RETRY_PERIOD)
    send_due_mail()
    mail = QueuedMail.objects.get()
    assert (mail.kind, mail.given_up_at is None) == ("staff_alarm", False)


def test_a_kind_that_this_release_does_not_know_is_kept_for_one_that_does():
    outbox.write("other.release")
    send_due_mail()
    mail = QueuedMail.objects.get(kind="other.release")
    assert (mail.error, mail.due_at is None) == ("KeyError", False)


def test_a_mail_server_that_says_nothing_holds_a_worker_no_longer_than_the_timeout(settings):
    listener = socket.create_server(("127.0.0.1", 0))
    settings.EMAIL_BACKEND = f"{SmtpBackend.__module__}.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = listener.getsockname()
    settings.EMAIL_TIMEOUT = 0.2
    mail = owe()
    with listener:
        assert delivery.send(mail.pk) is False
    # As smtplib calls a server that did not greet in time.
    assert (fresh(mail).error, mail.attempts) == ("SMTPServerDisconnected", 1)


def test_the_lease_outlasts_every_step_of_a_slow_mail_server(settings):
    settings.EMAIL_TIMEOUT = 30.0
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    assert delivery.lease() == timedelta(seconds=60 + 2 * 12 * 30)


# ── When a worker dies


def test_a_leased_mail_is_not_sent_by_another_worker(mailoutbox):
    mail = owe()
    assert delivery._claim(mail.pk) is not None
    assert (delivery.send(mail.pk), mailoutbox) == (False, [])
    assert 0 < seconds_until_due(mail) <= delivery.lease().total_seconds()


def test_the_mail_of_a_dead_worker_is_sent_after_its_lease(mailoutbox):
    mail = owe()
    delivery._claim(mail.pk)
    QueuedMail.objects.update(due_at=F("due_at") - delivery.lease())
    send_due_mail()
    assert (len(mailoutbox), fresh(mail).attempts) == (1, 2)


def test_a_worker_that_was_thought_dead_overwrites_nothing(mailoutbox):
    late = delivery._claim(owe().pk)
    QueuedMail.objects.update(due_at=Now())
    second = delivery._claim(late.pk)
    delivery._retry_later(late, OSError())
    delivery._record(late)
    delivery._drop(late)
    assert (fresh(second).attempts, second.sent_at, second.error) == (2, None, "")


def test_a_mail_that_every_worker_dies_of_is_given_up(mailoutbox):
    mail = owe()
    QueuedMail.objects.update(attempts=delivery.MAX_ATTEMPTS)
    send_due_mail()
    assert ([each for each in mailoutbox if each.subject == "A note"], fresh(mail).given_up_at is None) == ([], False)


# ── When the broker is away


def test_with_a_dead_broker_a_mail_is_kept_and_found_by_the_sweep(dead_broker, mailoutbox, monkeypatch):
    mail = owe()
    monkeypatch.undo()
    assert fresh(mail).due_at is not None
    send_due_mail()
    assert QueuedMail.objects.due().count() == 0


def test_the_sweep_enqueues_due_mails_the_longest_due_first(woken):
    first, second, claimed, sent = (owe() for _ in range(4))
    QueuedMail.objects.filter(pk=first.pk).update(due_at=Now() - timedelta(minutes=2))
    QueuedMail.objects.filter(pk=second.pk).update(due_at=Now() - timedelta(minutes=1))
    delivery._claim(claimed.pk)
    delivery.send(sent.pk)
    run_job(jobs.SWEEP)
    assert woken == [("genvid.mail.send", str(first.pk)), ("genvid.mail.send", str(second.pk))]


def test_a_sweep_enqueues_a_bounded_number_of_mails(woken, monkeypatch):
    monkeypatch.setattr(delivery, "MAX_PER_SWEEP", 2)
    for _ in range(3):
        owe()
    assert (delivery.sweep(), len(woken)) == (2, 2)


# ── Written once


def test_a_mail_under_a_key_is_written_once(mailoutbox):
    assert outbox.write_once(KIND, "note:1", text="Hello.") is True
    send_due_mail()
    assert outbox.write_once(KIND, "note:1", text="Hello.") is False
    send_due_mail()
    assert len(mailoutbox) == 1


@pytest.mark.django_db(transaction=True)
def test_one_of_many_concurrent_writers_under_a_key_writes_the_mail():
    results = in_parallel([lambda: outbox.write_once(KIND, "note:1", text="Hello.")] * 6)
    assert (sorted(results), QueuedMail.objects.filter(kind=KIND).count()) == ([False] * 5 + [True], 1)


# ── Forgotten


def test_a_key_of_mails_is_kept_for_ninety_days():
    outbox.write_once(KIND, "note:1", text="Hello.")
    send_due_mail()
    QueuedMail.objects.update(created_at=Now() - outbox.KEY_RETENTION + timedelta(minutes=1))
    outbox.prune()
    assert outbox.write_once(KIND, "note:1", text="Hello.") is False
    QueuedMail.objects.update(created_at=Now() - outbox.KEY_RETENTION - timedelta(minutes=1))
    outbox.prune()
    assert outbox.write_once(KIND, "note:1", text="Hello.") is True


def test_sent_and_given_up_mails_are_deleted_after_thirty_days():
    old_sent, old_unsent, young = owe(), owe(), owe()
    for mail in (old_sent, young):
        delivery.send(mail.pk)
    long_ago = Now() - outbox.RETENTION - timedelta(minutes=1)
    QueuedMail.objects.exclude(pk=young.pk).update(created_at=long_ago)
    run_job(jobs.PRUNE)
    assert set(QueuedMail.objects.values_list("pk", flat=True)) == {old_unsent.pk, young.pk}


def test_forgetting_mails_needs_a_person_account_or_address():
    mail = owe()
    outbox.delete_mails_about()
    assert fresh(mail).pk == mail.pk


# ── Watched


def values() -> dict[str, float]:
    return {metric.name: metric.samples[0].value for metric in gauges.read_gauges()}


def test_without_mails_the_gauges_are_zero():
    assert values() == {"genvid_mail_unsent": 0, "genvid_mail_oldest_seconds": 0, "genvid_mail_given_up": 0}


def test_the_age_of_the_oldest_unsent_mail_is_a_metric():
    old, _, sent, lost = (owe() for _ in range(4))
    delivery.send(sent.pk)
    QueuedMail.objects.filter(pk=old.pk).update(created_at=Now() - timedelta(hours=1))
    QueuedMail.objects.filter(pk=sent.pk).update(created_at=Now() - timedelta(hours=9))
    QueuedMail.objects.filter(pk=lost.pk).update(due_at=None, given_up_at=Now())
    shown = values()
    assert (shown["genvid_mail_unsent"], shown["genvid_mail_given_up"]) == (2, 1)
    assert 3600 <= shown["genvid_mail_oldest_seconds"] < 9 * 3600


def test_metrics_show_the_outbox():
    assert b"genvid_mail_oldest_seconds 0.0" in Client().get("/metrics").content


# ── For staff


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", PASSWORD))
    return client


PAGE = "/admin/mail/queuedmail/"


def choose(client: Client, *mails: QueuedMail):
    return client.post(PAGE, {"action": "send_again", "_selected_action": [mail.pk for mail in mails]})


def test_staff_have_mails_that_were_given_up_sent_again(staff, mailoutbox):
    lost, sent = owe(), owe()
    delivery.send(sent.pk)
    QueuedMail.objects.filter(pk=lost.pk).update(due_at=None, given_up_at=Now(), first_tried_at=Now(), attempts=31)
    assert choose(staff, lost, sent).status_code == 302
    assert (fresh(lost).attempts, lost.given_up_at, lost.first_tried_at) == (0, None, None)
    assert fresh(sent).due_at is None
    send_due_mail()
    assert len(mailoutbox) == 2


def test_the_alarm_leads_staff_to_what_was_given_up(staff, no_server):
    lost, waits = owe(), owe(text="Later.")
    QueuedMail.objects.filter(pk=lost.pk).update(first_tried_at=Now() - delivery.RETRY_PERIOD)
    delivery.send(lost.pk)
    link = QueuedMail.objects.get(kind="staff_alarm").data["link"]
    page = staff.get(re.search(r"https?://[^/]+(/admin/\S+)", link)[1])
    shown = {int(pk) for pk in re.findall(r'name="_selected_action" value="(\d+)"', page.content.decode())}
    assert (page.status_code, shown, fresh(waits).given_up_at) == (200, {lost.pk}, None)


def test_staff_with_view_permission_cannot_send_mails_again(staff):
    viewer = User.objects.create_user("viewer@example.com", PASSWORD, is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_queuedmail"))
    client = Client()
    client.force_login(viewer)
    lost = owe()
    QueuedMail.objects.update(due_at=None, given_up_at=Now())
    assert client.get(PAGE).status_code == 200
    choose(client, lost)
    assert fresh(lost).given_up_at is not None


def test_nobody_writes_or_deletes_mails_by_hand(staff):
    mail = owe()
    assert staff.get(f"{PAGE}add/").status_code == 403
    assert staff.post(f"{PAGE}{mail.pk}/delete/", {"post": "yes"}).status_code == 403
    assert QueuedMail.objects.count() == 1
