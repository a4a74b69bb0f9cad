"""Login to the admin: throttling, second factor, the enroll_totp command."""

import base64
import re
import time
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import totp as code_of

from accounts.models import AuditEntry, Authenticator, KnownNetwork, RecoveryCode, User
from genvid.tests.asserts import nothing_changes
from genvid.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
LOGIN, INDEX = "/admin/login/", "/admin/"


@pytest.fixture
def staff(db) -> User:
    return User.objects.create_superuser("staff@example.com", PASSWORD)


@pytest.fixture
def strict(settings):
    settings.REQUIRE_STAFF_TOTP = True


@pytest.fixture(autouse=True)
def clock():
    """Stops the clock in the middle of a step, so that no step ends during a test."""
    with time_machine.travel(time.time() // 30 * 30 + 15, tick=False) as clock:
        yield clock


def enroll(email="staff@example.com", *options: str) -> tuple[bytes, list[str]]:
    """Secret and recovery codes printed by enroll_totp."""
    out = StringIO()
    call_command("enroll_totp", email, *options, stdout=out)
    secret = re.search(r"secret=([A-Z2-7]+)", out.getvalue())[1]
    return base64.b32decode(secret), re.findall(r"^[a-z2-7]{4}(?:-[a-z2-7]{4}){3}$", out.getvalue(), re.MULTILINE)


def code(key: bytes) -> str:
    return f"{code_of(key):06d}"


def sign_in(client=None, password=PASSWORD, email="staff@example.com", address="192.0.2.1", **given):
    body = {"username": email, "password": password, **given}
    return (client or Client()).post(LOGIN, body, REMOTE_ADDR=address)


def error_text(response) -> str:
    assert response.status_code == 200
    return " ".join(response.context["form"].non_field_errors())


def test_staff_login_needs_no_code_if_not_required(staff):
    client = Client()
    assert sign_in(client).status_code == 302
    assert client.get(INDEX).status_code == 200


def test_staff_login_page_has_a_code_field(staff):
    page = Client().get(LOGIN).content.decode()
    assert [name for name in ("username", "password", "code") if f'name="{name}"' not in page] == []


def test_staff_without_an_authenticator_are_told_how_to_enroll(staff, strict):
    with nothing_changes(but=AuditEntry):
        assert error_text(sign_in()).endswith("manage.py enroll_totp staff@example.com")


def test_staff_login_with_a_code_succeeds(staff, strict):
    key, _ = enroll()
    client = Client()
    assert sign_in(client, code=code(key)).status_code == 302
    assert client.get(INDEX).status_code == 200


def test_staff_login_without_a_code_asks_for_it(staff, strict):
    enroll()
    assert error_text(sign_in()) == "Enter the code of your authenticator app, too."


def test_staff_with_an_authenticator_need_a_code_even_if_not_required(staff):
    enroll()
    assert error_text(sign_in()) == "Enter the code of your authenticator app, too."


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"code": "000000"}, {"email": "nobody@example.com"}])
def test_staff_login_with_wrong_credentials_is_refused(staff, strict, wrong):
    key, _ = enroll()
    response = sign_in(**{"code": code(key)} | wrong)
    assert error_text(response).startswith("Please enter the correct email and password for a staff account.")


def test_recovery_code_signs_staff_in_once(staff, strict):
    _, codes = enroll()
    assert sign_in(code=codes[0]).status_code == 302
    assert error_text(sign_in(code=codes[0])).startswith("Please enter the correct")


def test_staff_session_without_a_code_is_refused(staff, settings):
    client = Client()
    sign_in(client)
    settings.REQUIRE_STAFF_TOTP = True
    assert client.get(INDEX).status_code == 302


def test_staff_session_ends_with_its_authenticator(staff, strict):
    key, _ = enroll()
    client = Client()
    sign_in(client, code=code(key))
    Authenticator.objects.all().delete()
    assert client.get(INDEX).status_code == 302


def test_customer_cannot_sign_in_to_the_admin(owner, strict):
    key, _ = enroll("owner@example.com")
    response = sign_in(email="owner@example.com", code=code(key))
    assert error_text(response).startswith("Please enter the correct")


def test_staff_login_is_throttled_like_the_api(staff, anonymous):
    for _ in range(4):
        sign_in(password="wrong")
    anonymous.post("/api/v1/auth/login", {"email": "staff@example.com", "password": "wrong"}, REMOTE_ADDR="192.0.2.1")
    assert re.fullmatch(r"Too many failed tries; wait a little\. Try again in \d+ seconds\.", error_text(sign_in()))


def test_failed_logins_elsewhere_do_not_block_staff_on_known_networks(staff):
    sign_in(address="203.0.113.7")
    for number in range(25):
        sign_in(password="wrong", address=f"198.51.100.{number}")
    assert KnownNetwork.objects.get().network == "203.0.113.7"
    assert sign_in(address="203.0.113.7").status_code == 302


def test_staff_login_is_audited(staff):
    sign_in()
    entry = AuditEntry.objects.get(act="session.started")
    assert (entry.user, entry.account, entry.address, entry.detail) == (staff, None, "192.0.2.1", {"door": "admin"})


def test_deactivated_staff_are_refused_at_once(staff):
    client = Client()
    sign_in(client)
    User.objects.update(is_active=False)
    assert client.get(INDEX).status_code == 302


# ── enroll_totp


def test_enroll_totp_prints_ten_recovery_codes(staff):
    _, codes = enroll()
    assert (len(codes), RecoveryCode.objects.count()) == (10, 10)


def test_enroll_totp_replaces_an_authenticator_only_with_again(staff):
    old, _ = enroll()
    with nothing_changes(), pytest.raises(CommandError, match="--again"):
        enroll()
    new, _ = enroll("staff@example.com", "--again")
    assert old != new
    assert error_text(sign_in(code=code(old))).startswith("Please enter the correct")
    assert sign_in(code=code(new)).status_code == 302


def test_enroll_totp_refuses_an_unknown_address(staff):
    with nothing_changes(), pytest.raises(CommandError, match="No user has the address"):
        enroll("someone@example.com")
