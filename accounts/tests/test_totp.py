"""Second factor of the API's login: authenticator app and recovery codes."""

import base64
import time
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import time_machine
from django.db import connection
from django_otp.oath import totp as code_of

from accounts.auth import passwords, totp
from accounts.models import AuditEntry, Authenticator, RecoveryCode
from genvid.errors import InvalidCredentials
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.factories import PASSWORD, JsonClient, Person, make_caller, make_key
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
TOTP, CONFIRM, LOGIN = "/api/v1/auth/totp", "/api/v1/auth/totp/confirm", "/api/v1/auth/login"
STEP = 30


class App:
    """An authenticator app that has scanned the QR code."""

    def __init__(self, secret: str) -> None:
        self.key = base64.b32decode(secret)

    def code(self, steps: int = 0) -> str:
        """The current code, or that of a number of steps later."""
        return f"{code_of(self.key, t0=-steps * STEP):06d}"


@pytest.fixture(autouse=True)
def clock():
    """Stops the clock in the middle of a step, so that no step ends during a test."""
    with time_machine.travel(time.time() // STEP * STEP + STEP / 2, tick=False) as clock:
        yield clock


@pytest.fixture
def app(owner, clock) -> App:
    """The owner's confirmed authenticator, whose current code is unused."""
    app, _ = switch_on(owner, clock)
    return app


def switch_on(person: Person, clock) -> tuple[App, list[str]]:
    app = App(data_of(person.client.post(TOTP, {"password": PASSWORD}), 201)["secret"])
    codes = data_of(person.client.post(CONFIRM, {"code": app.code()}))["recovery_codes"]
    clock.shift(STEP)
    return app, codes


def sign_in(password=PASSWORD, **code):
    return JsonClient().post(LOGIN, {"email": "owner@example.com", "password": password, **code})


def state(person) -> dict:
    return data_of(person.client.get(TOTP))


# ── Enrolment


def test_totp_is_off_at_first(owner):
    assert state(owner) == {"enabled": False, "recovery_codes_left": 0}


def test_totp_enrolment_returns_a_secret_and_a_qr_code_url(owner):
    data = data_of(owner.client.post(TOTP, {"password": PASSWORD}), 201)
    url = urlsplit(data["otpauth_url"])
    assert (url.scheme, url.netloc, unquote(url.path)) == ("otpauth", "totp", "/genvid:owner@example.com")
    parameters = {"secret": [data["secret"]], "issuer": ["genvid"], "digits": ["6"], "period": ["30"]}
    assert parse_qs(url.query) == parameters
    assert len(base64.b32decode(data["secret"])) == 20


@pytest.mark.django_db(transaction=True)
def test_parallel_totp_enrolments_are_not_refused_as_enabled(clock):
    user = make_caller().user
    results = in_parallel([lambda: totp.start_enrolment(user)] * 4)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert Authenticator.objects.get().confirmed is False


def test_unconfirmed_authenticator_does_not_affect_login(owner):
    owner.client.post(TOTP, {"password": PASSWORD})
    assert state(owner)["enabled"] is False
    assert sign_in().status_code == 200


def test_confirming_totp_returns_ten_recovery_codes(owner, clock):
    _, codes = switch_on(owner, clock)
    assert len(set(codes)) == 10
    assert {len(code) for code in codes} == {19}
    assert state(owner) == {"enabled": True, "recovery_codes_left": 10}


def test_wrong_code_does_not_confirm_totp(owner):
    owner.client.post(TOTP, {"password": PASSWORD})
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(CONFIRM, {"code": "000000"})) == ["code"]


def test_confirming_totp_without_enrolment_is_refused(owner):
    with nothing_changes():
        assert refusal_of(owner.client.post(CONFIRM, {"code": "123456"})) == (409, "invalid_state")


def test_new_totp_enrolment_replaces_an_unconfirmed_one(owner):
    old, new = (App(data_of(owner.client.post(TOTP, {"password": PASSWORD}), 201)["secret"]) for _ in range(2))
    assert wrong_fields_of(owner.client.post(CONFIRM, {"code": old.code()})) == ["code"]
    assert owner.client.post(CONFIRM, {"code": new.code()}).status_code == 200


@pytest.mark.parametrize(("path", "body"), [(TOTP, {"password": PASSWORD}), (CONFIRM, {"code": "123456"})])
def test_totp_enrolment_is_refused_while_totp_is_enabled(owner, app, path, body):
    with nothing_changes():
        assert refusal_of(owner.client.post(path, body)) == (409, "invalid_state")


def test_totp_enrolment_requires_the_password(owner):
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(TOTP, {"password": "wrong"})) == ["password"]


@pytest.mark.parametrize(("method", "path"), [("get", TOTP), ("post", TOTP), ("post", CONFIRM), ("delete", TOTP)])
def test_api_key_cannot_manage_totp(owner, method, path):
    client = make_key(owner).client
    assert refusal_of(getattr(client, method)(path)) == (403, "permission_denied")


def test_totp_secret_and_recovery_codes_are_not_stored_in_plain_text(owner, clock):
    app, codes = switch_on(owner, clock)
    secret = base64.b32encode(app.key).decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_authenticator")
        stored = str(cursor.fetchall())
    kept = stored + str(list(RecoveryCode.objects.values())) + str(list(AuditEntry.objects.values()))
    assert [word for word in (secret, *codes, codes[0].replace("-", "")) if word in kept] == []


# ── Login


def test_login_without_code_is_refused_when_totp_is_enabled(owner, app):
    with nothing_changes():
        assert refusal_of(sign_in()) == (401, "totp_required")


def test_login_with_the_current_code_succeeds(owner, app):
    assert sign_in(totp_code=app.code()).status_code == 200


def test_wrong_password_is_refused_without_asking_for_a_code(owner, app):
    with nothing_changes(but=AuditEntry):
        assert refusal_of(sign_in("wrong")) == (401, "invalid_credentials")


@pytest.mark.parametrize(
    "code",
    ["000000", "12345", "1234567", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "12 456", "-12345", "+12345"],
)
def test_login_with_a_wrong_code_is_refused(owner, app, code):
    with nothing_changes(but=AuditEntry):
        assert refusal_of(sign_in(totp_code=code)) == (401, "invalid_credentials")


def test_totp_code_works_once(owner, app):
    code = app.code()
    sign_in(totp_code=code)
    with nothing_changes(but=AuditEntry):
        assert refusal_of(sign_in(totp_code=code)) == (401, "invalid_credentials")


def test_totp_codes_older_than_a_used_one_are_refused(owner, app):
    older = app.code(-1)
    sign_in(totp_code=app.code())
    assert refusal_of(sign_in(totp_code=older)) == (401, "invalid_credentials")


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 401), (0, 200), (1, 200), (2, 401)])
def test_totp_clock_may_differ_by_one_step(owner, app, steps, status):
    """The code of the previous step was used to confirm the authenticator."""
    assert sign_in(totp_code=app.code(steps)).status_code == status


def test_totp_code_of_the_previous_step_is_accepted(owner, app, clock):
    code = app.code()
    clock.shift(STEP)
    assert sign_in(totp_code=code).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_parallel_logins_with_one_totp_code_one_succeeds(clock):
    person = make_caller()
    app, _ = switch_on(person, clock)
    code = app.code()
    results = in_parallel([lambda: totp.require_code(person.user, code)] * 6)
    assert sorted(str(result) for result in results).count("totp") == 1
    assert [type(result) for result in results].count(InvalidCredentials) == 5


def test_wrong_totp_codes_are_throttled_like_wrong_passwords(owner, app):
    answers = [sign_in(totp_code="000000").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    assert refusal_of(sign_in(totp_code=app.code())) == (429, "rate_limited")


def test_right_password_does_not_reset_failed_totp_codes(owner, app):
    for _ in range(5):
        sign_in(totp_code="000000")
        sign_in()
        owner.client.post(TOTP, {"password": PASSWORD})
    assert refusal_of(sign_in(totp_code=app.code())) == (429, "rate_limited")


def test_superfluous_totp_code_is_ignored(owner):
    assert sign_in(totp_code="123456").status_code == 200


def test_refresh_needs_no_totp_code(owner, app):
    tokens = data_of(sign_in(totp_code=app.code()))
    assert JsonClient().post("/api/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]}).status_code == 200


# ── Recovery codes


def test_recovery_code_signs_in_once(owner, clock):
    _, codes = switch_on(owner, clock)
    assert sign_in(totp_code=codes[3]).status_code == 200
    assert refusal_of(sign_in(totp_code=codes[3])) == (401, "invalid_credentials")
    assert state(owner)["recovery_codes_left"] == 9


def test_recovery_code_ignores_case_hyphens_and_blanks(owner, clock):
    _, codes = switch_on(owner, clock)
    assert sign_in(totp_code=codes[0].upper().replace("-", " ")).status_code == 200
    assert sign_in(totp_code=codes[1].replace("-", "")).status_code == 200


def test_recovery_code_of_another_person_is_refused(owner, outsider, clock):
    switch_on(owner, clock)
    _, theirs = switch_on(outsider, clock)
    assert refusal_of(sign_in(totp_code=theirs[0])) == (401, "invalid_credentials")
    assert state(outsider)["recovery_codes_left"] == 10


def test_audit_log_names_the_second_factor_of_a_login(owner, clock):
    app, codes = switch_on(owner, clock)
    sign_in(totp_code=app.code())
    clock.shift(1)
    sign_in(totp_code=codes[0])
    details = AuditEntry.objects.filter(act="session.started").order_by("created_at").values_list("detail", flat=True)
    assert list(details) == [{"second_factor": "totp"}, {"second_factor": "recovery_code"}]


# ── Password reset and disabling


def test_password_reset_leaves_totp_enabled(owner, app):
    JsonClient().post(
        "/api/v1/auth/password/reset",
        {"token": passwords.reset_token(owner.user), "new_password": "a wholly different phrase"},
    )
    assert refusal_of(sign_in("a wholly different phrase")) == (401, "totp_required")
    assert sign_in("a wholly different phrase", totp_code=app.code()).status_code == 200


@pytest.mark.parametrize("with_what", ["app", "recovery"])
def test_totp_is_disabled_with_password_and_code(owner, clock, with_what):
    app, codes = switch_on(owner, clock)
    code = app.code() if with_what == "app" else codes[0]
    response = owner.client.delete(TOTP, {"password": PASSWORD, "code": code})
    assert (response.status_code, response.content) == (204, b"")
    assert (Authenticator.objects.count(), RecoveryCode.objects.count()) == (0, 0)
    assert sign_in().status_code == 200


@pytest.mark.parametrize(("field", "body"), [("password", {"password": "wrong"}), ("code", {"code": "000000"})])
def test_totp_stays_enabled_without_password_or_code(owner, app, field, body):
    with nothing_changes():
        response = owner.client.delete(TOTP, {"password": PASSWORD, "code": app.code()} | body)
    assert wrong_fields_of(response) == [field]


def test_guessing_the_code_to_disable_totp_is_throttled(owner, app):
    body = {"password": PASSWORD, "code": "000000"}
    assert [owner.client.delete(TOTP, body).status_code for _ in range(6)] == [400] * 5 + [429]


def test_disabling_totp_is_refused_when_it_is_not_enabled(owner):
    with nothing_changes():
        response = owner.client.delete(TOTP, {"password": PASSWORD, "code": "123456"})
    assert refusal_of(response) == (409, "invalid_state")


def test_enabling_and_disabling_totp_is_audited(owner, app):
    owner.client.delete(TOTP, {"password": PASSWORD, "code": app.code()})
    acts = AuditEntry.objects.filter(act__startswith="totp.", account=owner.account).order_by("created_at")
    assert list(acts.values_list("act", flat=True)) == ["totp.enabled", "totp.disabled"]


def test_totp_code_expires_after_the_following_step(owner, app, clock):
    code = app.code()
    clock.shift(timedelta(seconds=2 * STEP))
    assert refusal_of(sign_in(totp_code=code)) == (401, "invalid_credentials")
