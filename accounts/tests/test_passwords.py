"""Passwords: forgotten, reset by mail, changed."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.hashers import PBKDF2PasswordHasher, identify_hasher
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from limits import parse

from accounts.auth import passwords, session_cache
from accounts.auth import sign_in as sign_in_module
from accounts.models import ApiKey, AuditEntry, Session, User
from accounts.tests.hashers import SlowHasher
from genvid.errors import InvalidCredentials, TokenInvalid
from genvid.mail.models import QueuedMail
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, statements_of, wrong_fields_of
from genvid.tests.factories import PASSWORD, JsonClient, make_caller, make_key, sign_in
from genvid.tests.mail import send_due_mail
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
FORGOT, RESET, CHANGE = (f"/api/v1/auth/password/{deed}" for deed in ("forgot", "reset", "change"))
NEW = "a wholly different phrase"


@pytest.fixture
def token(owner) -> str:
    return passwords.reset_token(owner.user)


def forget(client, email="owner@example.com"):
    return client.post(FORGOT, {"email": email})


def reset(client, token, new_password=NEW):
    return client.post(RESET, {"token": token, "new_password": new_password})


def change(person, current=PASSWORD, new=NEW):
    return person.client.post(CHANGE, {"current_password": current, "new_password": new})


def can_sign_in(password: str) -> bool:
    body = {"email": "owner@example.com", "password": password}
    return JsonClient().post("/api/v1/auth/login", body).status_code == 200


def can_refresh(person) -> bool:
    return JsonClient().post("/api/v1/auth/refresh", {"refresh_token": person.tokens.refresh_token}).status_code == 200


# ── Forgotten


def test_somebody_who_forgot_is_mailed_a_link(owner, stranger, mailoutbox, work_at_once, settings):
    settings.PUBLIC_URL = "https://genvid.example"
    with work_at_once():
        assert data_of(forget(stranger), 202) == {"sent": True}
    assert [message.to for message in mailoutbox] == [["owner@example.com"]]
    assert "https://genvid.example/?reset=" in mailoutbox[0].body
    assert "60 minutes" in mailoutbox[0].body


def test_the_mailed_token_sets_a_new_password(owner, stranger, mailoutbox, work_at_once):
    with work_at_once():
        forget(stranger)
    token = re.search(r"\?reset=(\S+)", mailoutbox[0].body)[1]
    assert data_of(reset(stranger, token)) == {"email": "owner@example.com", "email_verified": True}
    assert can_sign_in(NEW)
    assert not can_sign_in(PASSWORD)


def test_the_address_may_be_written_in_any_case(owner, stranger, mailoutbox, work_at_once):
    with work_at_once():
        forget(stranger, "OWNER@Example.com")
    assert [message.to for message in mailoutbox] == [["owner@example.com"]]


def test_an_unknown_address_gets_the_same_answer_and_no_mail(owner, stranger, mailoutbox, work_at_once):
    with work_at_once():
        answers = [forget(stranger, email) for email in ("owner@example.com", "nobody@example.com")]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [data_of(answer, 202) for answer in answers] == [{"sent": True}] * 2
    assert len(mailoutbox) == 1


def test_asking_makes_the_same_statements_for_known_and_unknown_addresses(owner, stranger):
    known, unknown = (
        statements_of(lambda email=email: forget(stranger, email)) for email in ("owner@example.com", "n@example.com")
    )
    assert known == unknown
    assert [statement.split()[0] for statement in known] == ["INSERT"]
    assert [statement for statement in known if "accounts_user" in statement] == []


def test_of_an_unknown_address_nothing_is_kept_after_the_first_try(owner, stranger, mailoutbox):
    forget(stranger, "nobody@example.com")
    assert QueuedMail.objects.get(address="nobody@example.com").attempts == 0
    send_due_mail()
    assert QueuedMail.objects.filter(kind="accounts.password_reset").count() == 0
    assert {mail.to[0] for mail in mailoutbox} == {"owner@example.com"}


def test_of_an_unknown_address_nothing_is_kept_although_the_mail_server_is_away(stranger, settings):
    settings.EMAIL_BACKEND = "genvid.tests.test_mail_delivery.NoServer"
    forget(stranger, "nobody@example.com")
    send_due_mail()
    assert QueuedMail.objects.count() == 0


def test_with_a_dead_broker_the_link_is_late_and_not_lost(owner, stranger, mailoutbox, dead_broker):
    assert data_of(forget(stranger), 202) == {"sent": True}
    assert mailoutbox == []
    send_due_mail()
    assert ("Reset your password", ["owner@example.com"]) in [(mail.subject, mail.to) for mail in mailoutbox]


def test_somebody_who_was_deactivated_gets_no_mail(owner, stranger, mailoutbox, work_at_once):
    User.objects.update(is_active=False)
    with work_at_once():
        assert forget(stranger).status_code == 202
    assert mailoutbox == []


def test_a_mailbox_is_not_flooded(owner, stranger, mailoutbox, work_at_once):
    with work_at_once():
        answers = [forget(stranger) for _ in range(6)]
    assert {answer.status_code for answer in answers} == {202}
    assert len(mailoutbox) == 3


def test_writing_the_address_otherwise_brings_no_more_mail(owner, stranger, mailoutbox, work_at_once):
    spellings = ["owner@example.com", "OWNER@example.com", "Owner@Example.Com", "oWNER@example.com"]
    with work_at_once():
        assert [forget(stranger, email).status_code for email in spellings] == [202] * 4
    assert len(mailoutbox) == 3


def test_after_an_hour_it_gets_mail_again(owner, stranger, mailoutbox, work_at_once):
    with work_at_once():
        for _ in range(4):
            forget(stranger)
    with time_machine.travel(timedelta(hours=1, seconds=1)), work_at_once():
        forget(stranger)
    assert len(mailoutbox) == 4


def test_one_address_cannot_ask_for_the_mail_of_everybody(stranger, settings):
    settings.RATE_LIMITS = True
    settings.RATE_LIMIT_SIGN_UP = parse("2/hour")
    answers = [forget(stranger, f"person{number}@example.com") for number in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert refusal_of(answers[2]) == (429, "rate_limited")


@pytest.mark.parametrize("body", [{}, {"email": "nonsense"}, {"email": 5}], ids=str)
def test_an_address_must_be_one(stranger, body):
    assert wrong_fields_of(stranger.post(FORGOT, body)) == ["email"]


# ── Reset


def test_a_reset_link_works_once(owner, stranger, token):
    reset(stranger, token)
    with nothing_changes():
        assert refusal_of(reset(stranger, token, "another one again")) == (401, "token_invalid")


@pytest.mark.django_db(transaction=True)
def test_of_many_who_use_one_link_at_once_one_wins():
    token = passwords.reset_token(make_caller().user)
    results = in_parallel([lambda: passwords.reset_password(token, NEW)] * 4)
    assert [type(result) for result in results].count(TokenInvalid) == 3


def test_a_reset_link_lives_an_hour(owner, stranger, token):
    with time_machine.travel(timedelta(minutes=59)):
        assert reset(stranger, token).status_code == 200


def test_after_an_hour_it_is_dead(owner, stranger, token):
    with time_machine.travel(timedelta(hours=1, seconds=2)), nothing_changes():
        assert refusal_of(reset(stranger, token)) == (401, "token_invalid")


def test_a_change_of_the_password_kills_the_link(owner, stranger, token):
    change(owner)
    with nothing_changes():
        assert refusal_of(reset(stranger, token)) == (401, "token_invalid")


def test_a_change_of_the_address_kills_the_link(owner, stranger, token):
    User.objects.update(email="new@example.com")
    with nothing_changes():
        assert refusal_of(reset(stranger, token)) == (401, "token_invalid")


def test_a_link_resets_nobody_elses_password(owner, outsider, stranger, token):
    swapped = f"{outsider.user.pk.hex}.{token.partition('.')[2]}"
    with nothing_changes():
        assert refusal_of(reset(stranger, swapped)) == (401, "token_invalid")


def test_somebody_who_was_deactivated_cannot_reset(owner, stranger, token):
    User.objects.update(is_active=False)
    with nothing_changes():
        assert refusal_of(reset(stranger, token)) == (401, "token_invalid")


@pytest.fixture
def while_hashing(settings):
    """Something happens between the look at a person and the writing of their new password."""
    settings.PASSWORD_HASHERS = ["accounts.tests.hashers.SlowHasher"]

    def happens(**changes: object) -> None:
        SlowHasher.meanwhile = lambda: User.objects.update(**changes)

    yield happens
    SlowHasher.meanwhile = None


MEANWHILE = [{"email": "new@example.com"}, {"is_active": False}, {"password": "md5$other$hash"}]


@pytest.mark.parametrize("change_of", MEANWHILE, ids=lambda each: next(iter(each)))
def test_a_link_that_dies_while_it_is_used_resets_nothing(owner, stranger, token, while_hashing, change_of):
    while_hashing(**change_of)
    before = User.objects.values().get()
    with nothing_changes(but=User):
        assert refusal_of(reset(stranger, token)) == (401, "token_invalid")
    assert User.objects.values().get() == before | change_of


@pytest.mark.parametrize("nonsense", ["x", ".", "a.b-c", "é.ü-ö", f"{'0' * 32}.c1-abc", "." * 1000])
def test_nonsense_resets_nothing(owner, stranger, nonsense):
    with nothing_changes():
        assert refusal_of(reset(stranger, nonsense)) == (401, "token_invalid")


@pytest.mark.parametrize("weak", ["short", "12345678901", "password", "owner@example.com"])
def test_a_weak_password_is_refused_and_the_link_stays_good(owner, stranger, token, weak):
    with nothing_changes():
        assert wrong_fields_of(reset(stranger, token, weak)) == ["new_password"]
    assert reset(stranger, token).status_code == 200


def test_a_reset_proves_the_mailbox(owner, stranger, token):
    before = timezone.now()
    reset(stranger, token)
    assert before <= User.objects.get().email_verified_at <= timezone.now()


def test_a_reset_leaves_a_proof_of_earlier_as_it_was(owner, stranger):
    proved = timezone.now() - timedelta(days=5)
    User.objects.update(email_verified_at=proved)
    reset(stranger, passwords.reset_token(User.objects.get()))
    assert User.objects.get().email_verified_at == proved


def test_a_reset_ends_every_session_at_once(owner, stranger, token, django_capture_on_commit_callbacks):
    second = sign_in("owner@example.com")
    token = passwords.reset_token(User.objects.get())
    assert second.client.get("/api/v1/profile").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        reset(stranger, token)
    assert [person.client.get("/api/v1/profile").status_code for person in (owner, second)] == [401, 401]
    assert not can_refresh(owner)
    assert set(Session.objects.values_list("revoked_reason", flat=True)) == {"password"}


def test_a_reset_ends_nobody_elses_sessions(owner, outsider, stranger, token):
    reset(stranger, token)
    assert can_refresh(outsider)


def test_a_reset_is_told_by_mail(owner, stranger, token, mailoutbox, work_at_once):
    with work_at_once():
        reset(stranger, token)
    assert [(message.subject, message.to) for message in mailoutbox] == [
        ("Your password was changed", ["owner@example.com"])
    ]


def test_a_reset_is_written_down(owner, stranger, token):
    reset(stranger, token)
    acts = AuditEntry.objects.filter(user=owner.user, account=owner.account).values_list("act", flat=True)
    assert sorted(acts) == ["password.reset", "user.email_verified", "user.registered"]


def test_a_sign_in_with_the_old_password_that_is_under_way_comes_too_late(owner, stranger, token):
    as_checked = User.objects.get()
    reset(stranger, token)
    with nothing_changes(), pytest.raises(InvalidCredentials):
        sign_in_module.record_sign_in(as_checked)


# ── Changed


def test_a_changed_password_is_the_one_that_counts(owner):
    assert change(owner).status_code == 200
    assert (can_sign_in(NEW), can_sign_in(PASSWORD)) == (True, False)


def test_changing_it_answers_with_the_only_good_tokens(owner, django_capture_on_commit_callbacks):
    other = sign_in("owner@example.com")
    with django_capture_on_commit_callbacks(execute=True):
        data = data_of(change(owner))
    assert set(data) == {"access_token", "refresh_token", "token_type", "expires_in"}
    clients = [JsonClient(data["access_token"]), owner.client, other.client]
    assert [client.get("/api/v1/profile").status_code for client in clients] == [200, 401, 401]
    assert (can_refresh(owner), can_refresh(other)) == (False, False)
    assert JsonClient().post("/api/v1/auth/refresh", {"refresh_token": data["refresh_token"]}).status_code == 200


def test_the_new_session_is_of_the_same_account(owner, teammate):
    new = JsonClient(data_of(change(teammate))["access_token"])
    assert data_of(new.get("/api/v1/profile"))["account"]["id"] == str(owner.account.pk)


def test_api_keys_go_on_working(owner):
    program = make_key(owner)
    change(owner)
    assert program.client.get("/api/v1/videos").status_code == 200
    assert ApiKey.objects.get().revoked_at is None


def test_the_current_password_must_be_right(owner):
    with nothing_changes():
        assert wrong_fields_of(change(owner, current="wrong")) == ["current_password"]


def test_the_new_password_must_be_strong(owner):
    with nothing_changes():
        assert wrong_fields_of(change(owner, new="12345678")) == ["new_password"]


def test_guessing_the_current_password_is_throttled(owner):
    for _ in range(5):
        change(owner, current="wrong")
    response = change(owner)
    assert refusal_of(response) == (429, "rate_limited")
    assert 0 < int(response["Retry-After"]) <= 900
    assert User.objects.get().check_password(PASSWORD)


def test_a_key_changes_nobodys_password(owner):
    client = make_key(owner).client
    with nothing_changes(but=ApiKey):
        body = {"current_password": PASSWORD, "new_password": NEW}
        assert refusal_of(client.post(CHANGE, body)) == (403, "permission_denied")


def test_a_change_is_told_by_mail_and_written_down(owner, mailoutbox, work_at_once):
    with work_at_once():
        change(owner)
    assert [message.subject for message in mailoutbox] == ["Your password was changed"]
    assert AuditEntry.objects.filter(act="password.changed", user=owner.user, account=owner.account).count() == 1


def test_no_password_is_written_down_anywhere(owner):
    change(owner)
    assert NEW not in str(list(AuditEntry.objects.values())) + str(list(User.objects.values()))


def test_an_old_hash_is_renewed_by_a_sign_in(owner, settings):
    settings.PASSWORD_HASHERS = [hasher for hasher in settings.PASSWORD_HASHERS if "MD5" not in hasher]
    User.objects.update(password=PBKDF2PasswordHasher().encode(PASSWORD, "salt", 1000))
    assert can_sign_in(PASSWORD)
    assert identify_hasher(User.objects.get().password).algorithm == "argon2"


def test_a_password_set_at_a_shell_ends_every_session_too(owner, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW)
    call_command("changepassword", "owner@example.com", verbosity=0)
    assert not can_refresh(owner)
    assert can_sign_in(NEW)


def test_a_password_set_on_the_staffs_pages_ends_every_session_too(owner):
    User.objects.update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get())
    body = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/admin/password_change/", body).status_code == 302
    assert not can_refresh(owner)


# ── Deactivated and removed


def test_somebody_who_is_deactivated_is_out_within_a_minute(owner):
    assert owner.client.get("/api/v1/profile").status_code == 200
    User.objects.update(is_active=False)
    session_cache.forget_sessions(owner.caller.session_id)  # what SECONDS do by themselves
    assert refusal_of(owner.client.get("/api/v1/profile")) == (401, "not_authenticated")
    assert not can_refresh(owner)
    assert session_cache.CACHE_SECONDS < 60


def test_a_link_asked_for_before_somebody_was_deactivated_is_not_sent(owner, stranger, mailoutbox):
    forget(stranger)
    User.objects.update(is_active=False)
    send_due_mail()
    assert mailoutbox == []
