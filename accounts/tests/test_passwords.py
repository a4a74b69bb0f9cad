"""Forgotten passwords, reset by mail, password change."""

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
FORGOT, RESET, CHANGE = (f"/api/v1/auth/password/{action}" for action in ("forgot", "reset", "change"))
NEW = "a wholly different phrase"


@pytest.fixture
def token(owner) -> str:
    return passwords.reset_token(owner.user)


def request_reset(client, email="owner@example.com"):
    return client.post(FORGOT, {"email": email})


def reset(client, token, new_password=NEW):
    return client.post(RESET, {"token": token, "new_password": new_password})


def change(person, current=PASSWORD, new=NEW):
    return person.client.post(CHANGE, {"current_password": current, "new_password": new})


def can_log_in(password: str) -> bool:
    body = {"email": "owner@example.com", "password": password}
    return JsonClient().post("/api/v1/auth/login", body).status_code == 200


def can_refresh(person) -> bool:
    return JsonClient().post("/api/v1/auth/refresh", {"refresh_token": person.tokens.refresh_token}).status_code == 200


# ── Forgotten password


def test_forgotten_password_is_answered_with_a_mailed_link(owner, anonymous, mailoutbox, work_at_once, settings):
    settings.PUBLIC_URL = "https://genvid.example"
    with work_at_once():
        assert data_of(request_reset(anonymous), 202) == {"sent": True}
    assert [message.to for message in mailoutbox] == [["owner@example.com"]]
    assert "https://genvid.example/?reset=" in mailoutbox[0].body
    assert "60 minutes" in mailoutbox[0].body


def test_mailed_token_sets_a_new_password(owner, anonymous, mailoutbox, work_at_once):
    with work_at_once():
        request_reset(anonymous)
    token = re.search(r"\?reset=(\S+)", mailoutbox[0].body)[1]
    assert data_of(reset(anonymous, token)) == {"email": "owner@example.com", "email_verified": True}
    assert can_log_in(NEW)
    assert not can_log_in(PASSWORD)


def test_forgotten_password_accepts_the_address_in_any_case(owner, anonymous, mailoutbox, work_at_once):
    with work_at_once():
        request_reset(anonymous, "OWNER@Example.com")
    assert [message.to for message in mailoutbox] == [["owner@example.com"]]


def test_forgotten_password_of_an_unknown_address_gets_an_equal_response_and_no_mail(
    owner, anonymous, mailoutbox, work_at_once
):
    with work_at_once():
        answers = [request_reset(anonymous, email) for email in ("owner@example.com", "nobody@example.com")]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [data_of(answer, 202) for answer in answers] == [{"sent": True}] * 2
    assert len(mailoutbox) == 1


def test_forgotten_password_runs_equal_statements_for_known_and_unknown_addresses(owner, anonymous):
    known, unknown = (
        statements_of(lambda email=email: request_reset(anonymous, email))
        for email in ("owner@example.com", "n@example.com")
    )
    assert known == unknown
    assert [statement.split()[0] for statement in known] == ["INSERT"]
    assert [statement for statement in known if "accounts_user" in statement] == []


def test_mail_for_an_unknown_address_is_deleted_after_the_first_attempt(owner, anonymous, mailoutbox):
    request_reset(anonymous, "nobody@example.com")
    assert QueuedMail.objects.get(address="nobody@example.com").attempts == 0
    send_due_mail()
    assert QueuedMail.objects.filter(kind="accounts.password_reset").count() == 0
    assert {mail.to[0] for mail in mailoutbox} == {"owner@example.com"}


def test_mail_for_an_unknown_address_is_deleted_while_the_mail_server_is_down(anonymous, settings):
    settings.EMAIL_BACKEND = "genvid.tests.test_mail_delivery.NoServer"
    request_reset(anonymous, "nobody@example.com")
    send_due_mail()
    assert QueuedMail.objects.count() == 0


def test_reset_link_is_sent_later_when_the_broker_is_down(owner, anonymous, mailoutbox, dead_broker):
    assert data_of(request_reset(anonymous), 202) == {"sent": True}
    assert mailoutbox == []
    send_due_mail()
    assert ("Reset your password", ["owner@example.com"]) in [(mail.subject, mail.to) for mail in mailoutbox]


def test_deactivated_user_gets_no_reset_mail(owner, anonymous, mailoutbox, work_at_once):
    User.objects.update(is_active=False)
    with work_at_once():
        assert request_reset(anonymous).status_code == 202
    assert mailoutbox == []


def test_reset_mails_to_one_mailbox_are_limited(owner, anonymous, mailoutbox, work_at_once):
    with work_at_once():
        answers = [request_reset(anonymous) for _ in range(6)]
    assert {answer.status_code for answer in answers} == {202}
    assert len(mailoutbox) == 3


def test_reset_mail_limit_ignores_the_case_of_the_address(owner, anonymous, mailoutbox, work_at_once):
    spellings = ["owner@example.com", "OWNER@example.com", "Owner@Example.Com", "oWNER@example.com"]
    with work_at_once():
        assert [request_reset(anonymous, email).status_code for email in spellings] == [202] * 4
    assert len(mailoutbox) == 3


def test_reset_mail_limit_ends_after_an_hour(owner, anonymous, mailoutbox, work_at_once):
    with work_at_once():
        for _ in range(4):
            request_reset(anonymous)
    with time_machine.travel(timedelta(hours=1, seconds=1)), work_at_once():
        request_reset(anonymous)
    assert len(mailoutbox) == 4


def test_forgotten_password_requests_of_one_network_are_limited(anonymous, settings):
    settings.RATE_LIMITS = True
    settings.RATE_LIMIT_SIGN_UP = parse("2/hour")
    answers = [request_reset(anonymous, f"person{number}@example.com") for number in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert refusal_of(answers[2]) == (429, "rate_limited")


@pytest.mark.parametrize("body", [{}, {"email": "nonsense"}, {"email": 5}], ids=str)
def test_forgotten_password_with_an_invalid_address_is_refused(anonymous, body):
    assert wrong_fields_of(anonymous.post(FORGOT, body)) == ["email"]


# ── Password reset


def test_reset_link_works_once(owner, anonymous, token):
    reset(anonymous, token)
    with nothing_changes():
        assert refusal_of(reset(anonymous, token, "another one again")) == (401, "token_invalid")


@pytest.mark.django_db(transaction=True)
def test_of_parallel_uses_of_one_reset_link_one_succeeds():
    token = passwords.reset_token(make_caller().user)
    results = in_parallel([lambda: passwords.reset_password(token, NEW)] * 4)
    assert [type(result) for result in results].count(TokenInvalid) == 3


def test_reset_link_is_valid_for_an_hour(owner, anonymous, token):
    with time_machine.travel(timedelta(minutes=59)):
        assert reset(anonymous, token).status_code == 200


def test_reset_link_is_refused_after_an_hour(owner, anonymous, token):
    with time_machine.travel(timedelta(hours=1, seconds=2)), nothing_changes():
        assert refusal_of(reset(anonymous, token)) == (401, "token_invalid")


def test_password_change_invalidates_the_reset_link(owner, anonymous, token):
    change(owner)
    with nothing_changes():
        assert refusal_of(reset(anonymous, token)) == (401, "token_invalid")


def test_address_change_invalidates_the_reset_link(owner, anonymous, token):
    User.objects.update(email="new@example.com")
    with nothing_changes():
        assert refusal_of(reset(anonymous, token)) == (401, "token_invalid")


def test_reset_link_does_not_reset_another_persons_password(owner, outsider, anonymous, token):
    swapped = f"{outsider.user.pk.hex}.{token.partition('.')[2]}"
    with nothing_changes():
        assert refusal_of(reset(anonymous, swapped)) == (401, "token_invalid")


def test_deactivated_user_cannot_reset_the_password(owner, anonymous, token):
    User.objects.update(is_active=False)
    with nothing_changes():
        assert refusal_of(reset(anonymous, token)) == (401, "token_invalid")


@pytest.fixture
def while_hashing(settings):
    """Runs a callback between reading a user and writing their new password."""
    settings.PASSWORD_HASHERS = ["accounts.tests.hashers.SlowHasher"]

    def change_user(**changes: object) -> None:
        SlowHasher.meanwhile = lambda: User.objects.update(**changes)

    yield change_user
    SlowHasher.meanwhile = None


MEANWHILE = [{"email": "new@example.com"}, {"is_active": False}, {"password": "md5$other$hash"}]


@pytest.mark.parametrize("change_of", MEANWHILE, ids=lambda each: next(iter(each)))
def test_reset_link_invalidated_during_its_use_resets_nothing(owner, anonymous, token, while_hashing, change_of):
    while_hashing(**change_of)
    before = User.objects.values().get()
    with nothing_changes(but=User):
        assert refusal_of(reset(anonymous, token)) == (401, "token_invalid")
    assert User.objects.values().get() == before | change_of


@pytest.mark.parametrize("nonsense", ["x", ".", "a.b-c", "é.ü-ö", f"{'0' * 32}.c1-abc", "." * 1000])
def test_malformed_reset_token_is_refused(owner, anonymous, nonsense):
    with nothing_changes():
        assert refusal_of(reset(anonymous, nonsense)) == (401, "token_invalid")


@pytest.mark.parametrize("weak", ["short", "12345678901", "password", "owner@example.com"])
def test_weak_password_is_refused_and_the_reset_link_stays_valid(owner, anonymous, token, weak):
    with nothing_changes():
        assert wrong_fields_of(reset(anonymous, token, weak)) == ["new_password"]
    assert reset(anonymous, token).status_code == 200


def test_password_reset_verifies_the_address(owner, anonymous, token):
    before = timezone.now()
    reset(anonymous, token)
    assert before <= User.objects.get().email_verified_at <= timezone.now()


def test_password_reset_keeps_an_earlier_verification_time(owner, anonymous):
    proved = timezone.now() - timedelta(days=5)
    User.objects.update(email_verified_at=proved)
    reset(anonymous, passwords.reset_token(User.objects.get()))
    assert User.objects.get().email_verified_at == proved


def test_password_reset_revokes_every_session_at_once(owner, anonymous, token, django_capture_on_commit_callbacks):
    second = sign_in("owner@example.com")
    token = passwords.reset_token(User.objects.get())
    assert second.client.get("/api/v1/profile").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        reset(anonymous, token)
    assert [person.client.get("/api/v1/profile").status_code for person in (owner, second)] == [401, 401]
    assert not can_refresh(owner)
    assert set(Session.objects.values_list("revoked_reason", flat=True)) == {"password"}


def test_password_reset_revokes_no_session_of_others(owner, outsider, anonymous, token):
    reset(anonymous, token)
    assert can_refresh(outsider)


def test_password_reset_is_confirmed_by_mail(owner, anonymous, token, mailoutbox, work_at_once):
    with work_at_once():
        reset(anonymous, token)
    assert [(message.subject, message.to) for message in mailoutbox] == [
        ("Your password was changed", ["owner@example.com"])
    ]


def test_password_reset_is_audited(owner, anonymous, token):
    reset(anonymous, token)
    acts = AuditEntry.objects.filter(user=owner.user, account=owner.account).values_list("act", flat=True)
    assert sorted(acts) == ["password.reset", "user.email_verified", "user.registered"]


def test_login_in_progress_with_the_old_password_is_refused(owner, anonymous, token):
    as_checked = User.objects.get()
    reset(anonymous, token)
    with nothing_changes(), pytest.raises(InvalidCredentials):
        sign_in_module.record_sign_in(as_checked)


# ── Password change


def test_only_the_changed_password_signs_in(owner):
    assert change(owner).status_code == 200
    assert (can_log_in(NEW), can_log_in(PASSWORD)) == (True, False)


def test_password_change_returns_the_only_valid_tokens(owner, django_capture_on_commit_callbacks):
    other = sign_in("owner@example.com")
    with django_capture_on_commit_callbacks(execute=True):
        data = data_of(change(owner))
    assert set(data) == {"access_token", "refresh_token", "token_type", "expires_in"}
    clients = [JsonClient(data["access_token"]), owner.client, other.client]
    assert [client.get("/api/v1/profile").status_code for client in clients] == [200, 401, 401]
    assert (can_refresh(owner), can_refresh(other)) == (False, False)
    assert JsonClient().post("/api/v1/auth/refresh", {"refresh_token": data["refresh_token"]}).status_code == 200


def test_password_change_keeps_the_account_of_the_session(owner, teammate):
    new = JsonClient(data_of(change(teammate))["access_token"])
    assert data_of(new.get("/api/v1/profile"))["account"]["id"] == str(owner.account.pk)


def test_api_keys_stay_valid_after_a_password_change(owner):
    program = make_key(owner)
    change(owner)
    assert program.client.get("/api/v1/videos").status_code == 200
    assert ApiKey.objects.get().revoked_at is None


def test_password_change_with_a_wrong_current_password_is_refused(owner):
    with nothing_changes():
        assert wrong_fields_of(change(owner, current="wrong")) == ["current_password"]


def test_password_change_with_a_weak_password_is_refused(owner):
    with nothing_changes():
        assert wrong_fields_of(change(owner, new="12345678")) == ["new_password"]


def test_guessing_the_current_password_is_throttled(owner):
    for _ in range(5):
        change(owner, current="wrong")
    response = change(owner)
    assert refusal_of(response) == (429, "rate_limited")
    assert 0 < int(response["Retry-After"]) <= 900
    assert User.objects.get().check_password(PASSWORD)


def test_api_key_cannot_change_a_password(owner):
    client = make_key(owner).client
    with nothing_changes(but=ApiKey):
        body = {"current_password": PASSWORD, "new_password": NEW}
        assert refusal_of(client.post(CHANGE, body)) == (403, "permission_denied")


def test_password_change_is_mailed_and_audited(owner, mailoutbox, work_at_once):
    with work_at_once():
        change(owner)
    assert [message.subject for message in mailoutbox] == ["Your password was changed"]
    assert AuditEntry.objects.filter(act="password.changed", user=owner.user, account=owner.account).count() == 1


def test_changed_password_is_not_stored_in_plain_text(owner):
    change(owner)
    assert NEW not in str(list(AuditEntry.objects.values())) + str(list(User.objects.values()))


def test_login_upgrades_an_old_password_hash(owner, settings):
    settings.PASSWORD_HASHERS = [hasher for hasher in settings.PASSWORD_HASHERS if "MD5" not in hasher]
    User.objects.update(password=PBKDF2PasswordHasher().encode(PASSWORD, "salt", 1000))
    assert can_log_in(PASSWORD)
    assert identify_hasher(User.objects.get().password).algorithm == "argon2"


def test_password_set_in_a_shell_revokes_every_session(owner, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW)
    call_command("changepassword", "owner@example.com", verbosity=0)
    assert not can_refresh(owner)
    assert can_log_in(NEW)


def test_password_set_in_the_admin_revokes_every_session(owner):
    User.objects.update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get())
    body = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/admin/password_change/", body).status_code == 302
    assert not can_refresh(owner)


# ── Deactivated and removed


def test_deactivated_user_is_refused_within_a_minute(owner):
    assert owner.client.get("/api/v1/profile").status_code == 200
    User.objects.update(is_active=False)
    session_cache.forget_sessions(owner.caller.session_id)  # what SECONDS do by themselves
    assert refusal_of(owner.client.get("/api/v1/profile")) == (401, "not_authenticated")
    assert not can_refresh(owner)
    assert session_cache.CACHE_SECONDS < 60


def test_reset_link_is_not_sent_to_a_user_deactivated_meanwhile(owner, anonymous, mailoutbox):
    request_reset(anonymous)
    User.objects.update(is_active=False)
    send_due_mail()
    assert mailoutbox == []
