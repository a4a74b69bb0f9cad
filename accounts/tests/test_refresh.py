from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.auth.sign_in import refresh
from accounts.models import Membership, Session, User
from genvid import request_context
from genvid.errors import TokenInvalid
from genvid.tests.asserts import data_of, nothing_changes, refusal_of
from genvid.tests.factories import JsonClient, Person, make_caller
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
REFRESH, LOGOUT = "/api/v1/auth/refresh", "/api/v1/auth/logout"


def trade(refresh_token: str, **headers: str):
    return JsonClient().post(REFRESH, {"refresh_token": refresh_token}, **headers)


def steal(refresh_token: str):
    """Trade it from another network than the tests'."""
    return trade(refresh_token, REMOTE_ADDR="198.51.100.4")


def end(refresh_token: str):
    return JsonClient().post(LOGOUT, {"refresh_token": refresh_token})


def another_session_of(person: Person) -> str:
    body = {"email": person.user.email, "password": person.password}
    return data_of(JsonClient().post("/api/v1/auth/login", body))["refresh_token"]


def test_a_refresh_token_is_traded_for_a_new_pair(owner):
    data = data_of(trade(owner.tokens.refresh_token))
    assert set(data) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (data["token_type"], data["expires_in"]) == ("Bearer", 900)
    assert data["refresh_token"] != owner.tokens.refresh_token


def test_the_new_access_token_works(owner):
    new = data_of(trade(owner.tokens.refresh_token))["access_token"]
    assert data_of(JsonClient(new).get("/api/v1/profile"))["email"] == "owner@example.com"


def test_the_new_refresh_token_works_once_more(owner):
    new = data_of(trade(owner.tokens.refresh_token))["refresh_token"]
    assert trade(new).status_code == 200


def test_a_refresh_token_works_once(owner):
    trade(owner.tokens.refresh_token)
    assert refusal_of(steal(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_using_an_old_one_revokes_its_whole_family(owner):
    new = data_of(trade(owner.tokens.refresh_token))["refresh_token"]
    steal(owner.tokens.refresh_token)
    assert refusal_of(trade(new)) == (401, "token_invalid")
    assert Session.objects.get().revoked_reason == "reuse"


def test_using_an_old_one_leaves_other_sessions_alone(owner):
    other = another_session_of(owner)
    trade(owner.tokens.refresh_token)
    steal(owner.tokens.refresh_token)
    assert trade(other).status_code == 200


def test_a_refresh_token_lives_thirty_days(owner):
    with time_machine.travel(timedelta(days=29, hours=23)):
        assert trade(owner.tokens.refresh_token).status_code == 200


def test_after_thirty_days_it_is_dead(owner):
    with time_machine.travel(timedelta(days=30, seconds=11)), nothing_changes():
        assert refusal_of(trade(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_each_trade_gives_thirty_new_days(owner):
    with time_machine.travel(timedelta(days=29)):
        new = data_of(trade(owner.tokens.refresh_token))["refresh_token"]
    with time_machine.travel(timedelta(days=58)):
        assert trade(new).status_code == 200


def test_a_changed_role_is_in_the_next_access_token(owner, teammate):
    Membership.objects.filter(user=teammate.user).update(role="viewer")
    new = JsonClient(data_of(trade(teammate.tokens.refresh_token))["access_token"])
    assert refusal_of(new.post("/api/v1/videos", {})) == (403, "permission_denied")


def test_somebody_who_was_switched_off_gets_no_new_tokens(owner):
    User.objects.update(is_active=False)
    assert refusal_of(trade(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_somebody_who_left_the_account_gets_no_new_tokens(owner, teammate):
    Membership.objects.filter(user=teammate.user).delete()
    assert refusal_of(trade(teammate.tokens.refresh_token)) == (401, "token_invalid")


@pytest.mark.django_db(transaction=True)
def test_of_many_who_trade_one_token_at_once_one_wins():
    token = make_caller().tokens.refresh_token
    results = in_parallel([lambda: refresh(token)] * 8)
    assert [type(result) for result in results].count(TokenInvalid) == 7
    assert Session.objects.get().revoked_reason == "reuse"


# ── The same token twice, by one device


def test_a_repeated_trade_gets_the_same_successor(owner):
    first, again = (data_of(trade(owner.tokens.refresh_token)) for _ in range(2))
    assert again["refresh_token"] == first["refresh_token"]
    assert data_of(JsonClient(again["access_token"]).get("/api/v1/profile"))["email"] == "owner@example.com"
    assert Session.objects.get().revoked_at is None


def test_a_repeated_trade_changes_nothing(owner):
    trade(owner.tokens.refresh_token)
    with nothing_changes():
        assert trade(owner.tokens.refresh_token).status_code == 200


def test_the_successor_of_a_repeated_trade_is_good_once(owner):
    trade(owner.tokens.refresh_token)
    new = data_of(trade(owner.tokens.refresh_token))["refresh_token"]
    assert trade(new).status_code == 200
    assert refusal_of(steal(new)) == (401, "token_invalid")


def test_no_refresh_token_is_kept(owner):
    new = data_of(trade(owner.tokens.refresh_token))["refresh_token"]
    kept = str(list(Session.objects.values()))
    assert [token in kept for token in (new, owner.tokens.refresh_token)] == [False, False]


@pytest.mark.parametrize(
    ("address", "repeated_from"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2::7", "2001:db8:1:2:ffff::1")],
    ids=["ipv4", "ipv6"],
)
def test_a_trade_may_be_repeated_from_the_same_network(owner, address, repeated_from):
    first = data_of(trade(owner.tokens.refresh_token, REMOTE_ADDR=address))
    again = data_of(trade(owner.tokens.refresh_token, REMOTE_ADDR=repeated_from))
    assert again["refresh_token"] == first["refresh_token"]


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({"REMOTE_ADDR": "203.0.113.7"}, {"REMOTE_ADDR": "203.0.113.8"}),
        ({"REMOTE_ADDR": "2001:db8:1:2::7"}, {"REMOTE_ADDR": "2001:db8:1:3::7"}),
        ({"REMOTE_ADDR": ""}, {"REMOTE_ADDR": ""}),
        ({"HTTP_USER_AGENT": "phone"}, {"HTTP_USER_AGENT": "curl"}),
        ({"HTTP_USER_AGENT": "phone"}, {}),
    ],
    ids=["ipv4", "ipv6", "no_address", "program", "no_program"],
)
def test_a_repeated_trade_of_another_device_is_theft(owner, first, again):
    new = data_of(trade(owner.tokens.refresh_token, **first))["refresh_token"]
    assert refusal_of(trade(owner.tokens.refresh_token, **again)) == (401, "token_invalid")
    assert refusal_of(trade(new, **first)) == (401, "token_invalid")
    assert Session.objects.get().revoked_reason == "reuse"


@pytest.mark.parametrize(("seconds", "status"), [(9.9, 200), (10.1, 401)])
def test_a_trade_may_be_repeated_for_ten_seconds(owner, seconds, status):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        trade(owner.tokens.refresh_token)
        clock.shift(timedelta(seconds=seconds))
        assert trade(owner.tokens.refresh_token).status_code == status
    assert (Session.objects.get().revoked_reason == "reuse") is (status == 401)


def test_once_its_successor_was_used_a_repeated_trade_is_theft(owner):
    new = data_of(trade(owner.tokens.refresh_token))["refresh_token"]
    trade(new)
    assert refusal_of(trade(owner.tokens.refresh_token)) == (401, "token_invalid")
    assert Session.objects.get().revoked_reason == "reuse"


def test_a_token_that_the_release_before_has_traded_since_makes_a_repeated_trade_theft(owner):
    trade(owner.tokens.refresh_token)
    Session.objects.update(jti="its", last_used_at=timezone.now())  # all that release writes
    assert refusal_of(trade(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_a_session_that_has_ended_repeats_no_trade(owner):
    end(data_of(trade(owner.tokens.refresh_token))["refresh_token"])
    with nothing_changes():
        assert refusal_of(trade(owner.tokens.refresh_token)) == (401, "token_invalid")


@pytest.mark.django_db(transaction=True)
def test_of_many_who_trade_one_token_at_once_on_one_device_all_get_one_successor():
    token = make_caller().tokens.refresh_token

    def on_the_phone():
        request_context.set_current(request_context.RequestContext(address="203.0.113.7", user_agent="phone"))
        return refresh(token)

    results = in_parallel([on_the_phone] * 8)
    assert {result.refresh_token for result in results} == {results[0].refresh_token}
    assert Session.objects.get().revoked_at is None
    assert refresh(results[0].refresh_token).refresh_token != results[0].refresh_token


# ── Signing out


def test_logging_out_has_no_body(owner):
    response = end(owner.tokens.refresh_token)
    assert (response.status_code, response.content) == (204, b"")
    assert Session.objects.get().revoked_reason == "logout"


def test_after_logging_out_the_token_is_dead(owner):
    end(owner.tokens.refresh_token)
    with nothing_changes():
        assert refusal_of(trade(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_logging_out_twice_is_refused(owner):
    end(owner.tokens.refresh_token)
    with nothing_changes():
        assert refusal_of(end(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_logging_out_leaves_other_sessions_alone(owner):
    other = another_session_of(owner)
    end(owner.tokens.refresh_token)
    assert trade(other).status_code == 200


def test_an_old_token_logs_nobody_out(owner):
    new = data_of(trade(owner.tokens.refresh_token))["refresh_token"]
    with nothing_changes():
        assert refusal_of(end(owner.tokens.refresh_token)) == (401, "token_invalid")
    assert trade(new).status_code == 200
