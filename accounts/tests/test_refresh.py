from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.auth.sign_in import refresh
from accounts.models import Membership, Session, User, people
from genvid import request_context
from genvid.errors import TokenInvalid
from genvid.tests.asserts import data_of, nothing_changes, refusal_of
from genvid.tests.factories import JsonClient, Person, make_caller
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
REFRESH, LOGOUT = "/api/v1/auth/refresh", "/api/v1/auth/logout"


def post_refresh(refresh_token: str, **headers: str):
    return JsonClient().post(REFRESH, {"refresh_token": refresh_token}, **headers)


def refresh_elsewhere(refresh_token: str):
    """Refresh from another network than the other requests of the tests."""
    return post_refresh(refresh_token, REMOTE_ADDR="198.51.100.4")


def log_out(refresh_token: str):
    return JsonClient().post(LOGOUT, {"refresh_token": refresh_token})


def another_session_of(person: Person) -> str:
    body = {"email": person.user.email, "password": person.password}
    return data_of(JsonClient().post("/api/v1/auth/login", body))["refresh_token"]


def test_refresh_returns_a_new_token_pair(owner):
    data = data_of(post_refresh(owner.tokens.refresh_token))
    assert set(data) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (data["token_type"], data["expires_in"]) == ("Bearer", 900)
    assert data["refresh_token"] != owner.tokens.refresh_token


def test_access_token_of_a_refresh_works(owner):
    new = data_of(post_refresh(owner.tokens.refresh_token))["access_token"]
    assert data_of(JsonClient(new).get("/api/v1/profile"))["email"] == "owner@example.com"


def test_refresh_token_of_a_refresh_works(owner):
    new = data_of(post_refresh(owner.tokens.refresh_token))["refresh_token"]
    assert post_refresh(new).status_code == 200


def test_a_refresh_token_works_once(owner):
    post_refresh(owner.tokens.refresh_token)
    assert refusal_of(refresh_elsewhere(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_used_refresh_token_revokes_its_session(owner):
    new = data_of(post_refresh(owner.tokens.refresh_token))["refresh_token"]
    refresh_elsewhere(owner.tokens.refresh_token)
    assert refusal_of(post_refresh(new)) == (401, "token_invalid")
    assert Session.objects.get().revoked_reason == "reuse"


def test_used_refresh_token_leaves_other_sessions_valid(owner):
    other = another_session_of(owner)
    post_refresh(owner.tokens.refresh_token)
    refresh_elsewhere(owner.tokens.refresh_token)
    assert post_refresh(other).status_code == 200


def test_refresh_token_is_valid_for_thirty_days(owner):
    with time_machine.travel(timedelta(days=29, hours=23)):
        assert post_refresh(owner.tokens.refresh_token).status_code == 200


def test_refresh_token_is_refused_after_thirty_days(owner):
    with time_machine.travel(timedelta(days=30, seconds=11)), nothing_changes():
        assert refusal_of(post_refresh(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_each_refresh_extends_the_session_by_thirty_days(owner):
    with time_machine.travel(timedelta(days=29)):
        new = data_of(post_refresh(owner.tokens.refresh_token))["refresh_token"]
    with time_machine.travel(timedelta(days=58)):
        assert post_refresh(new).status_code == 200


def test_changed_role_is_in_the_next_access_token(owner, teammate):
    Membership.objects.filter(user=teammate.user).update(role="viewer")
    new = JsonClient(data_of(post_refresh(teammate.tokens.refresh_token))["access_token"])
    assert refusal_of(new.post("/api/v1/videos", {})) == (403, "permission_denied")


def test_deactivated_user_cannot_refresh(owner):
    User.objects.update(is_active=False)
    assert refusal_of(post_refresh(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_former_member_cannot_refresh(owner, teammate):
    Membership.objects.filter(user=teammate.user).delete()
    assert refusal_of(post_refresh(teammate.tokens.refresh_token)) == (401, "token_invalid")


@pytest.mark.django_db(transaction=True)
def test_of_parallel_refreshes_from_different_networks_one_succeeds():
    token = make_caller().tokens.refresh_token
    results = in_parallel([lambda: refresh(token)] * 8)
    assert [type(result) for result in results].count(TokenInvalid) == 7
    assert Session.objects.get().revoked_reason == "reuse"


# ── Repeated refresh by one client


@pytest.fixture
def still_window(monkeypatch) -> None:
    """A busy machine may need more than its ten seconds between two lines."""
    monkeypatch.setattr(people, "REPEAT_WINDOW", timedelta(hours=1))


@pytest.mark.usefixtures("still_window")
def test_repeated_refresh_returns_the_first_successor(owner):
    first, again = (data_of(post_refresh(owner.tokens.refresh_token)) for _ in range(2))
    assert again["refresh_token"] == first["refresh_token"]
    assert data_of(JsonClient(again["access_token"]).get("/api/v1/profile"))["email"] == "owner@example.com"
    assert Session.objects.get().revoked_at is None


@pytest.mark.usefixtures("still_window")
def test_repeated_refresh_changes_nothing(owner):
    post_refresh(owner.tokens.refresh_token)
    with nothing_changes():
        assert post_refresh(owner.tokens.refresh_token).status_code == 200


@pytest.mark.usefixtures("still_window")
def test_successor_of_a_repeated_refresh_works_once(owner):
    post_refresh(owner.tokens.refresh_token)
    new = data_of(post_refresh(owner.tokens.refresh_token))["refresh_token"]
    assert post_refresh(new).status_code == 200
    assert refusal_of(refresh_elsewhere(new)) == (401, "token_invalid")


def test_refresh_tokens_are_not_stored(owner):
    new = data_of(post_refresh(owner.tokens.refresh_token))["refresh_token"]
    kept = str(list(Session.objects.values()))
    assert [token in kept for token in (new, owner.tokens.refresh_token)] == [False, False]


@pytest.mark.usefixtures("still_window")
@pytest.mark.parametrize(
    ("address", "repeated_from"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2::7", "2001:db8:1:2:ffff::1")],
    ids=["ipv4", "ipv6"],
)
def test_refresh_may_be_repeated_from_one_network(owner, address, repeated_from):
    first = data_of(post_refresh(owner.tokens.refresh_token, REMOTE_ADDR=address))
    again = data_of(post_refresh(owner.tokens.refresh_token, REMOTE_ADDR=repeated_from))
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
def test_refresh_repeated_by_another_client_revokes_the_session(owner, first, again):
    new = data_of(post_refresh(owner.tokens.refresh_token, **first))["refresh_token"]
    assert refusal_of(post_refresh(owner.tokens.refresh_token, **again)) == (401, "token_invalid")
    assert refusal_of(post_refresh(new, **first)) == (401, "token_invalid")
    assert Session.objects.get().revoked_reason == "reuse"


@pytest.mark.parametrize(("seconds", "status"), [(9.9, 200), (10.1, 401)])
def test_refresh_may_be_repeated_for_ten_seconds(owner, seconds, status):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        post_refresh(owner.tokens.refresh_token)
        clock.shift(timedelta(seconds=seconds))
        assert post_refresh(owner.tokens.refresh_token).status_code == status
    assert (Session.objects.get().revoked_reason == "reuse") is (status == 401)


def test_refresh_repeated_after_its_successor_was_used_revokes_the_session(owner):
    new = data_of(post_refresh(owner.tokens.refresh_token))["refresh_token"]
    post_refresh(new)
    assert refusal_of(post_refresh(owner.tokens.refresh_token)) == (401, "token_invalid")
    assert Session.objects.get().revoked_reason == "reuse"


def test_refresh_repeated_after_a_rotation_by_the_previous_release_revokes_the_session(owner):
    post_refresh(owner.tokens.refresh_token)
    Session.objects.update(jti="its", last_used_at=timezone.now())  # all that release writes
    assert refusal_of(post_refresh(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_refresh_of_an_ended_session_is_not_repeated(owner):
    log_out(data_of(post_refresh(owner.tokens.refresh_token))["refresh_token"])
    with nothing_changes():
        assert refusal_of(post_refresh(owner.tokens.refresh_token)) == (401, "token_invalid")


@pytest.mark.usefixtures("still_window")
@pytest.mark.django_db(transaction=True)
def test_parallel_refreshes_by_one_client_get_one_successor():
    token = make_caller().tokens.refresh_token

    def refresh_by_one_client():
        request_context.set_current(request_context.RequestContext(address="203.0.113.7", user_agent="phone"))
        return refresh(token)

    results = in_parallel([refresh_by_one_client] * 8)
    assert {result.refresh_token for result in results} == {results[0].refresh_token}
    assert Session.objects.get().revoked_at is None
    assert refresh(results[0].refresh_token).refresh_token != results[0].refresh_token


# ── Logout


def test_logout_returns_no_body(owner):
    response = log_out(owner.tokens.refresh_token)
    assert (response.status_code, response.content) == (204, b"")
    assert Session.objects.get().revoked_reason == "logout"


def test_refresh_token_is_refused_after_logout(owner):
    log_out(owner.tokens.refresh_token)
    with nothing_changes():
        assert refusal_of(post_refresh(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_second_logout_is_refused(owner):
    log_out(owner.tokens.refresh_token)
    with nothing_changes():
        assert refusal_of(log_out(owner.tokens.refresh_token)) == (401, "token_invalid")


def test_logout_leaves_other_sessions_valid(owner):
    other = another_session_of(owner)
    log_out(owner.tokens.refresh_token)
    assert post_refresh(other).status_code == 200


def test_used_refresh_token_cannot_log_out(owner):
    new = data_of(post_refresh(owner.tokens.refresh_token))["refresh_token"]
    with nothing_changes():
        assert refusal_of(log_out(owner.tokens.refresh_token)) == (401, "token_invalid")
    assert post_refresh(new).status_code == 200
