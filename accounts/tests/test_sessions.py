"""Sessions: listing, ending, audit, lost access."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.auth import session_cache
from accounts.models import AuditEntry, Membership, Session, User
from genvid import cache
from genvid.tests.asserts import data_of, nothing_changes, queries_once_warm, refusal_of, wrong_fields_of
from genvid.tests.factories import PASSWORD, JsonClient, make_key

pytestmark = pytest.mark.django_db
SESSIONS, LOGIN, REFRESH = (f"/api/v1/auth/{name}" for name in ("sessions", "login", "refresh"))


def sign_in(email="owner@example.com", **headers) -> JsonClient:
    tokens = data_of(JsonClient().post(LOGIN, {"email": email, "password": PASSWORD}, **headers))
    client = JsonClient(tokens["access_token"])
    client.tokens = tokens
    return client


def refresh(client, **headers):
    return JsonClient().post(REFRESH, {"refresh_token": client.tokens["refresh_token"]}, **headers)


def listed(client) -> list[dict]:
    return data_of(client.get(SESSIONS))


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("created_at").values_list("act", flat=True))


@pytest.fixture
def run_on_commit(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_session_list_shows_address_and_user_agent(owner):
    client = sign_in(REMOTE_ADDR="203.0.113.7", HTTP_USER_AGENT="curl/8")
    session = Session.objects.latest("created_at")
    assert listed(client)[0] == {
        "id": str(session.pk),
        "account": {"id": str(owner.account.pk), "name": "Olive Films"},
        "address": "203.0.113.7",
        "user_agent": "curl/8",
        "current": True,
        "created_at": _iso(session.created_at),
        "last_used_at": _iso(session.last_used_at),
        "expires_at": _iso(session.expires_at),
    }


def _iso(moment) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_session_list_marks_the_current_session(owner):
    first, second = sign_in(), sign_in()
    assert [session["current"] for session in listed(second)] == [True, False, False]
    assert [session["current"] for session in listed(first)] == [False, True, False]


def test_refresh_updates_time_and_address_of_the_session(owner):
    client = sign_in(REMOTE_ADDR="203.0.113.7", HTTP_USER_AGENT="curl/8")
    with time_machine.travel(timedelta(minutes=5)):
        before = timezone.now()
        refresh(client, REMOTE_ADDR="198.51.100.4", HTTP_USER_AGENT="curl/9")
    session = Session.objects.latest("created_at")
    assert (session.address, session.user_agent) == ("198.51.100.4", "curl/9")
    assert session.last_used_at >= before


def test_session_list_shows_only_active_sessions(owner):
    gone, old = sign_in(), sign_in()
    JsonClient().post("/api/v1/auth/logout", {"refresh_token": gone.tokens["refresh_token"]})
    Session.objects.filter(pk=listed(old)[0]["id"]).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert [session["current"] for session in listed(owner.client)] == [True]


def test_session_list_hides_sessions_of_others(owner, teammate, outsider):
    assert [len(listed(person.client)) for person in (owner, teammate, outsider)] == [1, 1, 1]


def test_session_list_shows_sessions_of_all_accounts(owner, outsider):
    Membership.objects.create(user=owner.user, account=outsider.account, role="member", last_used_at=timezone.now())
    sign_in()
    assert {session["account"]["id"] for session in listed(owner.client)} == {
        str(owner.account.pk),
        str(outsider.account.pk),
    }


def test_session_list_is_paginated(owner):
    for _ in range(3):
        sign_in()
    page = owner.client.get(SESSIONS, {"limit": 2}).json()
    rest = owner.client.get(SESSIONS, {"limit": 2, "cursor": page["meta"]["next_cursor"]}).json()
    ids = [session["id"] for session in page["data"] + rest["data"]]
    assert ids == [str(pk) for pk in Session.objects.order_by("-created_at").values_list("pk", flat=True)]


def test_session_list_refuses_unknown_parameters(owner):
    assert wrong_fields_of(owner.client.get(SESSIONS, {"usr": "1"})) == ["usr"]


def test_session_list_query_count_does_not_depend_on_its_length(owner):
    few = queries_once_warm(lambda: owner.client.get(SESSIONS))
    for _ in range(3):
        sign_in()
    assert queries_once_warm(lambda: owner.client.get(SESSIONS)) == few


def test_ended_session_is_refused_at_once(owner, run_on_commit):
    other = sign_in()
    assert other.get("/api/v1/profile").status_code == 200
    with run_on_commit():
        response = owner.client.delete(f"{SESSIONS}/{listed(other)[0]['id']}")
    assert (response.status_code, response.content) == (204, b"")
    assert refusal_of(other.get("/api/v1/profile")) == (401, "not_authenticated")
    assert refusal_of(refresh(other)) == (401, "token_invalid")
    assert owner.client.get("/api/v1/profile").status_code == 200


def test_ending_an_ended_session_is_not_found(owner):
    pk = listed(sign_in())[0]["id"]
    owner.client.delete(f"{SESSIONS}/{pk}")
    with nothing_changes():
        assert refusal_of(owner.client.delete(f"{SESSIONS}/{pk}")) == (404, "not_found")


def test_session_of_another_person_cannot_be_ended(owner, teammate):
    pk = Session.objects.get(user=owner.user).pk
    with nothing_changes():
        assert refusal_of(teammate.client.delete(f"{SESSIONS}/{pk}")) == (404, "not_found")


def test_signing_out_everywhere_ends_the_current_session_as_well(owner, run_on_commit):
    other = sign_in()
    with run_on_commit():
        response = owner.client.delete(SESSIONS)
    assert (response.status_code, response.content) == (204, b"")
    assert [client.get("/api/v1/profile").status_code for client in (owner.client, other)] == [401, 401]
    assert refusal_of(refresh(other)) == (401, "token_invalid")


def test_signing_out_everywhere_ends_no_session_of_others(owner, teammate, outsider):
    owner.client.delete(SESSIONS)
    assert [person.client.get("/api/v1/profile").status_code for person in (teammate, outsider)] == [200, 200]


@pytest.mark.parametrize("method", ["get", "delete"])
def test_api_key_cannot_list_or_end_sessions(owner, method):
    client = make_key(owner).client
    assert refusal_of(getattr(client, method)(SESSIONS)) == (403, "permission_denied")


@pytest.mark.parametrize("method", ["get", "delete"])
def test_anonymous_requests_to_sessions_are_refused(anonymous, method):
    assert refusal_of(getattr(anonymous, method)(SESSIONS)) == (401, "not_authenticated")


def test_logout_invalidates_the_access_token_at_once(owner, run_on_commit):
    client = sign_in()
    assert client.get("/api/v1/profile").status_code == 200
    with run_on_commit():
        JsonClient().post("/api/v1/auth/logout", {"refresh_token": client.tokens["refresh_token"]})
    assert client.get("/api/v1/profile").status_code == 401


def test_reused_refresh_token_invalidates_the_access_token_and_is_audited(owner, run_on_commit):
    client = sign_in()
    new = JsonClient(data_of(refresh(client))["access_token"])
    assert new.get("/api/v1/profile").status_code == 200
    with run_on_commit():
        refresh(client, REMOTE_ADDR="198.51.100.66")
    assert new.get("/api/v1/profile").status_code == 401
    entry = AuditEntry.objects.get(act="session.token_reused")
    assert (entry.user, entry.account, entry.address) == (owner.user, owner.account, "198.51.100.66")
    assert entry.detail == {"session": str(Session.objects.latest("created_at").pk)}


def test_third_use_of_a_refresh_token_is_not_audited_again(owner):
    client = sign_in()
    for address in ("127.0.0.1", "198.51.100.66", "198.51.100.66"):
        refresh(client, REMOTE_ADDR=address)
    assert acts().count("session.token_reused") == 1


def test_logins_and_logouts_are_audited(owner):
    first, second, third = sign_in(), sign_in(), sign_in()
    JsonClient().post("/api/v1/auth/logout", {"refresh_token": first.tokens["refresh_token"]})
    third.delete(f"{SESSIONS}/{_id_of(second)}")
    third.delete(SESSIONS)
    assert acts() == ["user.registered", *["session.started"] * 3, *["session.ended"] * 3]
    assert AuditEntry.objects.latest("created_at").detail == {"sessions": "2"}


def _id_of(client) -> str:
    return next(session["id"] for session in listed(client) if session["current"])


# ── Lost access


def test_tokens_of_a_deactivated_user_are_refused(owner):
    client = sign_in()
    assert client.get("/api/v1/profile").status_code == 200
    User.objects.update(is_active=False)
    assert refusal_of(refresh(client)) == (401, "token_invalid")
    with time_machine.travel(timedelta(seconds=session_cache.CACHE_SECONDS + 1)):
        session_cache.forget_sessions(_session().pk)  # the cache's clock cannot be moved
        assert refusal_of(client.get("/api/v1/profile")) == (401, "not_authenticated")


def test_tokens_of_a_removed_member_are_refused(owner, teammate):
    client = sign_in(teammate.user.email)
    Membership.objects.filter(user=teammate.user).delete()
    assert refusal_of(refresh(client)) == (401, "token_invalid")
    assert refusal_of(client.get("/api/v1/profile")) == (401, "not_authenticated")


def test_refresh_of_a_removed_member_is_not_audited_as_reuse(owner, teammate):
    client = sign_in(teammate.user.email)
    Membership.objects.filter(user=teammate.user).delete()
    refresh(client)
    assert (_session().revoked_reason, acts().count("session.token_reused")) == ("", 0)


def test_a_role_read_before_a_change_is_not_cached_after_it(owner, teammate):
    client = sign_in(teammate.user.email)
    key = session_cache.key_of(_session().pk)
    Membership.objects.filter(user=teammate.user).update(role="viewer")
    session_cache.forget_sessions(_session().pk)
    cache.keep_first(key, "owner", session_cache.CACHE_SECONDS)  # by a process that had read it before
    assert cache.peek(key) == session_cache.CHANGED
    assert client.post("/api/v1/videos", {}).status_code == 403
    assert cache.peek(key) == session_cache.CHANGED


def test_role_is_cached_for_less_than_a_minute():
    assert session_cache.CACHE_SECONDS <= 30


def _session() -> Session:
    return Session.objects.latest("created_at")
