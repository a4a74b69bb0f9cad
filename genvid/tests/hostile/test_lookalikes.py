"""Addresses, names and paths that imitate others or contain injections."""

import pytest

from accounts.models import User
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.factories import PASSWORD, make_caller
from genvid.tests.mail import send_due_mail

pytestmark = pytest.mark.django_db
REGISTER = "/api/v1/auth/register"
LOGIN = "/api/v1/auth/login"

LOOKALIKES = {
    "dotless i": "m\u0131ke@example.org",
    "kelvin sign": "mi\u212ae@example.org",
    "long s": "mike@example.org".replace("x", "\u017f"),
    "cyrillic domain": "mike@ex\u0430mple.org",
    "fullwidth": "\uff4dike@example.org",
    "combining": "mi\u0301ke@example.org",
    "zero width": "mi\u200bke@example.org",
    "right to left": "\u202emike@example.org",
    "other at": "mike\uff20example.org",
}
INJECTIONS = {
    "line feed": "mike@example.org\nBcc: all@example.org",
    "carriage return": "mike@example.org\r\nBcc: all@example.org",
    "two addresses": "mike@example.org,all@example.org",
    "angle brackets": "Mike <mike@example.org>",
    "nothing before the at": "@example.org",
    "two ats": "mike@evil.example@example.org",
}


@pytest.fixture
def mike():
    return make_caller(email="mike@example.org")


@pytest.mark.parametrize("email", LOOKALIKES.values(), ids=LOOKALIKES)
def test_a_lookalike_address_cannot_register(mike, anonymous, email):
    with nothing_changes():
        assert wrong_fields_of(anonymous.post(REGISTER, {"email": email, "password": PASSWORD})) == ["email"]


@pytest.mark.parametrize("email", LOOKALIKES.values(), ids=LOOKALIKES)
def test_a_lookalike_address_resets_no_password(mike, anonymous, mailoutbox, email):
    anonymous.post("/api/v1/auth/password/forgot", {"email": email})
    send_due_mail()
    assert [message.to for message in mailoutbox if message.subject == "Reset your password"] == []


@pytest.mark.parametrize("email", INJECTIONS.values(), ids=INJECTIONS)
def test_a_malformed_or_multiple_address_cannot_register(anonymous, email):
    with nothing_changes():
        assert wrong_fields_of(anonymous.post(REGISTER, {"email": email, "password": PASSWORD})) == ["email"]


def test_an_address_with_a_plus_tag_registers_as_another_user(mike, anonymous):
    data_of(anonymous.post(REGISTER, {"email": "mike+shop@example.org", "password": PASSWORD}), 201)
    assert User.objects.filter(email__startswith="mike").count() == 2


def test_an_address_in_capitals_is_already_registered(mike, anonymous):
    with nothing_changes():
        taken = anonymous.post(REGISTER, {"email": "MIKE@EXAMPLE.ORG", "password": PASSWORD})
        assert wrong_fields_of(taken) == ["email"]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{ 7*7 }}", "\u202eevil", "=cmd|' /C calc'!A0", "%s%n"])
def test_a_name_with_markup_is_returned_unchanged_as_json(owner, name):
    data_of(owner.client.patch("/api/v1/profile", {"full_name": name}))
    answer = owner.client.get("/api/v1/profile")
    assert data_of(answer)["full_name"] == name
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("key", ["a\r\nSet-Cookie: x=1", "a b", "é", "a\x00b", "../../etc/passwd", "a" * 256])
def test_an_idempotency_key_with_forbidden_characters_is_refused(owner, avatar, key):
    with nothing_changes():
        answer = owner.client.post("/api/v1/videos/quote", {}, HTTP_IDEMPOTENCY_KEY=key)
        assert "Set-Cookie" not in answer
        answer = owner.client.post("/api/v1/videos", {"script": "Hi."}, HTTP_IDEMPOTENCY_KEY=key)
        assert wrong_fields_of(answer) == ["Idempotency-Key"]


@pytest.mark.parametrize(
    "path", ["../profile", "..%2fprofile", "%2e%2e/profile", "videos/..;/profile", "videos//", "a%00b"]
)
def test_a_path_that_climbs_is_not_found(owner, path):
    assert refusal_of(owner.client.get(f"/api/v1/avatars/{path}")) == (404, "not_found")
