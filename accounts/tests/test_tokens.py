"""Access and refresh tokens: claims, signatures, manipulation."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import time_machine
from django.conf import settings

from genvid.tests.asserts import data_of, nothing_changes, refusal_of
from genvid.tests.factories import JsonClient

pytestmark = pytest.mark.django_db
KEY = settings.SIMPLE_JWT["SIGNING_KEY"]


def claims_of(token: str) -> dict:
    return jwt.decode(token, KEY, algorithms=["HS256"], options={"verify_iss": False})


def signed(claims: dict, key: str = KEY, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm)


def segment(value: dict | bytes) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def profile_with(token: str):
    return JsonClient(token).get("/api/v1/profile")


def test_an_access_token_names_person_account_role_and_session_and_nothing_private(owner):
    claims = claims_of(owner.tokens.access_token)
    expected = {"user_id", "account_id", "role", "sid", "token_type", "jti", "exp", "iat", "iss"}
    assert (set(claims), claims["account_id"], claims["role"]) == (expected, str(owner.account.pk), "owner")


def test_an_access_token_lives_fifteen_minutes(owner):
    with time_machine.travel(timedelta(minutes=14)):
        assert profile_with(owner.tokens.access_token).status_code == 200
    with time_machine.travel(timedelta(minutes=15, seconds=11)):
        assert refusal_of(profile_with(owner.tokens.access_token)) == (401, "not_authenticated")


@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize(("ahead", "status"), [(1, 200), (8, 200), (60, 401)])
def test_access_token_from_a_clock_ten_seconds_ahead_is_accepted(owner, claim, ahead, status):
    claims = claims_of(owner.tokens.access_token)
    with time_machine.travel(datetime.fromtimestamp(claims["iat"], UTC), tick=False):
        assert profile_with(signed(claims | {claim: claims["iat"] + ahead})).status_code == status


def test_access_token_signed_with_our_key_is_accepted(owner):
    assert profile_with(signed(claims_of(owner.tokens.access_token))).status_code == 200


def test_unsigned_access_token_is_refused(owner):
    claims = claims_of(owner.tokens.access_token)
    for word in ("none", "None", "NONE"):
        token = f"{segment({'alg': word, 'typ': 'JWT'})}.{segment(claims)}."
        assert refusal_of(profile_with(token)) == (401, "not_authenticated")


def test_access_token_signed_with_another_key_is_refused(owner):
    token = signed(claims_of(owner.tokens.access_token), key="k" * 64)
    assert refusal_of(profile_with(token)) == (401, "not_authenticated")


def test_access_token_with_another_algorithm_is_refused(owner):
    token = signed(claims_of(owner.tokens.access_token), key=KEY * 2, algorithm="HS512")
    assert refusal_of(profile_with(token)) == (401, "not_authenticated")


def test_access_token_with_a_replaced_account_is_refused(owner, outsider):
    head, _, signature = owner.tokens.access_token.split(".")
    claims = claims_of(owner.tokens.access_token) | {"account_id": str(outsider.account.pk)}
    token = f"{head}.{segment(claims)}.{signature}"
    assert refusal_of(profile_with(token)) == (401, "not_authenticated")


def test_a_refresh_token_is_no_access_token(owner):
    assert refusal_of(profile_with(owner.tokens.refresh_token)) == (401, "not_authenticated")


@pytest.mark.parametrize("path", ["auth/refresh", "auth/logout"])
def test_an_access_token_is_no_refresh_token(owner, anonymous, path):
    with nothing_changes():
        response = anonymous.post(f"/api/v1/{path}", {"refresh_token": owner.tokens.access_token})
    assert refusal_of(response) == (401, "token_invalid")


@pytest.mark.parametrize("name", ["user_id", "account_id", "sid", "role", "token_type", "exp", "iss"])
def test_access_token_without_a_claim_is_refused(owner, name):
    claims = claims_of(owner.tokens.access_token)
    del claims[name]
    assert refusal_of(profile_with(signed(claims))) == (401, "not_authenticated")


@pytest.mark.parametrize("value", [7, None, [], {}, "not-a-uuid", "\x00"], ids=repr)
@pytest.mark.parametrize("name", ["user_id", "account_id", "sid"])
def test_access_token_with_a_claim_of_another_type_is_refused(owner, name, value):
    token = signed(claims_of(owner.tokens.access_token) | {name: value})
    assert refusal_of(profile_with(token)) == (401, "not_authenticated")


def test_access_token_of_another_issuer_is_refused(owner):
    token = signed(claims_of(owner.tokens.access_token) | {"iss": "elsewhere"})
    assert refusal_of(profile_with(token)) == (401, "not_authenticated")


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "\x00", "x" * 4097, "null"])
@pytest.mark.parametrize("path", ["auth/refresh", "auth/logout"])
def test_malformed_refresh_token_is_refused(owner, anonymous, path, token):
    with nothing_changes():
        response = anonymous.post(f"/api/v1/{path}", {"refresh_token": token})
    assert refusal_of(response) in [(400, "validation_error"), (401, "token_invalid")]


def test_access_token_of_a_deactivated_user_is_refused(owner):
    owner.user.is_active = False
    owner.user.save()
    assert refusal_of(profile_with(owner.tokens.access_token)) == (401, "not_authenticated")


def test_bearer_scheme_is_case_insensitive(owner):
    client = JsonClient(HTTP_AUTHORIZATION=f"bEARER {owner.tokens.access_token}")
    assert data_of(client.get("/api/v1/profile"))["email"] == "owner@example.com"
