"""How staff come into their pages: throttled like clients, and with a second factor where the operator asks for one."""

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
    """The middle of a step: no test may fail because one ends while it runs."""
    with time_machine.travel(time.time() // 30 * 30 + 15, tick=False) as clock:
        yield clock


def enroll(email="staff@example.com", *options: str) -> tuple[bytes, list[str]]:
    """The key and the recovery codes that the operator hands over."""
    out = StringIO()
    call_command("enroll_totp", email, *options, stdout=out)
    secret = re.search(r"secret=([A-Z2-7]+)", out.getvalue())[1]
    return base64.b32decode(secret), re.findall(r"^[a-z2-7]{4}(?:-[a-z2-7]{4}){3}$", out.getvalue(), re.MULTILINE)


def code(key: bytes) -> str:
    return f"{code_of(key):06d}"


def sign_in(client=None, password=PASSWORD, email="staff@example.com", address="192.0.2.1", **given):
    body = {"username": email, "password": password, **given}
    return (client or Client()).post(LOGIN, body, REMOTE_ADDR=address)


def told(response) -> str:
    assert response.status_code == 200
    return " ".join(response.context["form"].non_field_errors())


def test_where_nobody_asks_for_a_code_the_password_is_enough(staff):
    client = Client()
    assert sign_in(client).status_code == 302
    assert client.get(INDEX).status_code == 200


def test_the_page_has_a_field_for_the_code(staff):
    page = Client().get(LOGIN).content.decode()
    assert [name for name in ("username", "password", "code") if f'name="{name}"' not in page] == []


def test_staff_without_an_authenticator_are_told_what_to_do(staff, strict):
    with nothing_changes(but=AuditEntry):
        assert told(sign_in()).endswith("manage.py enroll_totp staff@example.com")


def test_with_the_code_they_come_in(staff, strict):
    key, _ = enroll()
    client = Client()
    assert sign_in(client, code=code(key)).status_code == 302
    assert client.get(INDEX).status_code == 200


def test_without_it_they_are_asked_for_it(staff, strict):
    enroll()
    assert told(sign_in()) == "Enter the code of your authenticator app, too."


def test_whoever_has_an_authenticator_is_asked_even_where_nobody_must(staff):
    enroll()
    assert told(sign_in()) == "Enter the code of your authenticator app, too."


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"code": "000000"}, {"email": "nobody@example.com"}])
def test_wrong_is_wrong_whatever_it_was(staff, strict, wrong):
    key, _ = enroll()
    response = sign_in(**{"code": code(key)} | wrong)
    assert told(response).startswith("Please enter the correct email and password for a staff account.")


def test_a_recovery_code_comes_in_once(staff, strict):
    _, codes = enroll()
    assert sign_in(code=codes[0]).status_code == 302
    assert told(sign_in(code=codes[0])).startswith("Please enter the correct")


def test_an_older_session_without_a_code_opens_nothing(staff, settings):
    client = Client()
    sign_in(client)
    settings.REQUIRE_STAFF_TOTP = True
    assert client.get(INDEX).status_code == 302


def test_a_session_ends_with_its_authenticator(staff, strict):
    key, _ = enroll()
    client = Client()
    sign_in(client, code=code(key))
    Authenticator.objects.all().delete()
    assert client.get(INDEX).status_code == 302


def test_a_customer_does_not_come_in(owner, strict):
    key, _ = enroll("owner@example.com")
    response = sign_in(email="owner@example.com", code=code(key))
    assert told(response).startswith("Please enter the correct")


def test_guessing_is_throttled_with_the_limits_of_clients(staff, stranger):
    for _ in range(4):
        sign_in(password="wrong")
    stranger.post("/api/v1/auth/login", {"email": "staff@example.com", "password": "wrong"}, REMOTE_ADDR="192.0.2.1")
    assert re.fullmatch(r"Too many failed tries; wait a little\. Try again in \d+ seconds\.", told(sign_in()))


def test_others_lock_no_staff_out_of_where_they_sign_in_from(staff):
    sign_in(address="203.0.113.7")
    for number in range(25):
        sign_in(password="wrong", address=f"198.51.100.{number}")
    assert KnownNetwork.objects.get().network == "203.0.113.7"
    assert sign_in(address="203.0.113.7").status_code == 302


def test_coming_in_is_written_down(staff):
    sign_in()
    entry = AuditEntry.objects.get(act="session.started")
    assert (entry.user, entry.account, entry.address, entry.detail) == (staff, None, "192.0.2.1", {"door": "admin"})


def test_staff_who_were_deactivated_are_out_at_once(staff):
    client = Client()
    sign_in(client)
    User.objects.update(is_active=False)
    assert client.get(INDEX).status_code == 302


# ── The operator's command


def test_enrolling_hands_over_ten_recovery_codes(staff):
    _, codes = enroll()
    assert (len(codes), RecoveryCode.objects.count()) == (10, 10)


def test_enrolling_again_needs_saying_so(staff):
    old, _ = enroll()
    with nothing_changes(), pytest.raises(CommandError, match="--again"):
        enroll()
    new, _ = enroll("staff@example.com", "--again")
    assert old != new
    assert told(sign_in(code=code(old))).startswith("Please enter the correct")
    assert sign_in(code=code(new)).status_code == 302


def test_nobody_is_enrolled_by_mistake(staff):
    with nothing_changes(), pytest.raises(CommandError, match="Nobody has the address"):
        enroll("someone@example.com")
