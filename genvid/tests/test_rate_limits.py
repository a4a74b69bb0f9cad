"""Rate limits: who counts as one caller, the headers of answers, and refusals."""

import os

import pytest
from limits import parse

from accounts.enums import Role
from accounts.models import IdempotencyRecord, Membership
from billing.models import Tier, Wallet
from genvid import rate_limit_storage
from genvid.api import rate_limits
from genvid.tests.asserts import data_of, nothing_changes, queries_once_warm, redis_trips_of, refusal_of
from genvid.tests.factories import JsonClient, make_caller, make_key, make_teammate, sign_in
from genvid.tests.parallel import in_parallel
from videos.models import Video

pytestmark = pytest.mark.django_db
PROFILE = "/api/v1/profile"
AVATARS = "/api/v1/avatars"
LOGIN = "/api/v1/auth/login"
NOBODY = {"email": "nobody@example.com", "password": "wrong"}


@pytest.fixture(autouse=True)
def limits_on(settings):
    rate_limit_storage.memory().reset()
    settings.RATE_LIMITS = True
    settings.RATE_LIMIT_ANONYMOUS = parse("3/minute")
    Tier.objects.update(requests_per_minute=5)


def limit_headers_of(answer) -> tuple[int, int]:
    """Limit and what is left, as the headers say."""
    assert 0 <= int(answer["RateLimit-Reset"]) <= 60
    return int(answer["RateLimit-Limit"]), int(answer["RateLimit-Remaining"])


# Every answer says


def test_every_answer_has_the_remaining_requests(owner):
    assert [limit_headers_of(owner.client.get(AVATARS)) for _ in range(3)] == [(5, 4), (5, 3), (5, 2)]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/v1/videos/00000000-0000-0000-0000-000000000000", 404),
        ("get", f"{AVATARS}?nonsense=1", 400),
        ("post", "/api/v1/videos", 400),
    ],
)
def test_refusals_have_the_remaining_requests_too(owner, method, path, status):
    answer = getattr(owner.client, method)(path)
    assert (answer.status_code, limit_headers_of(answer)) == (status, (5, 4))


@pytest.mark.parametrize(("method", "status"), [("delete", 405), ("options", 204)])
def test_requests_refused_before_authentication_are_not_counted(owner, method, status):
    answer = getattr(owner.client, method)(AVATARS)
    assert (answer.status_code, "RateLimit-Limit" in answer.headers) == (status, False)
    assert limit_headers_of(owner.client.get(AVATARS)) == (5, 4)


def test_beyond_the_limit_the_answer_says_when_to_come_back(owner):
    for _ in range(5):
        assert owner.client.get(AVATARS).status_code == 200
    answer = owner.client.get(AVATARS)
    assert refusal_of(answer) == (429, "rate_limited")
    assert answer.json()["error"]["retryable"] is True
    assert (limit_headers_of(answer), answer["Retry-After"]) == ((5, 0), answer["RateLimit-Reset"])


def test_beyond_the_limit_nothing_happens_and_no_idempotency_key_is_used_up(owner, avatar):
    for _ in range(5):
        owner.client.get(AVATARS)
    payload = {"script": "Hello.", "avatar_id": str(avatar.pk)}
    with nothing_changes():
        answer = owner.client.post("/api/v1/videos", payload, HTTP_IDEMPOTENCY_KEY="later")
        assert refusal_of(answer) == (429, "rate_limited")
    assert (Video.objects.count(), IdempotencyRecord.objects.count()) == (0, 0)


def test_with_rate_limits_off_nothing_is_counted(owner, settings):
    settings.RATE_LIMITS = False
    answers = [owner.client.get(AVATARS) for _ in range(7)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit-Limit" not in answers[-1]


# Who counts as one


def test_each_person_has_a_rate_limit_of_their_own(owner):
    teammate = make_teammate(owner)
    for _ in range(5):
        owner.client.get(AVATARS)
    assert limit_headers_of(teammate.client.get(AVATARS)) == (5, 4)


def test_each_api_key_has_a_rate_limit_beside_its_makers(owner):
    programs = [make_key(owner) for _ in range(2)]
    for _ in range(5):
        programs[0].client.get(AVATARS)
    assert limit_headers_of(programs[1].client.get(AVATARS)) == (5, 4)
    assert limit_headers_of(owner.client.get(AVATARS)) == (5, 4)


def test_two_sessions_of_one_person_share_a_rate_limit(owner):
    data = data_of(JsonClient().post(LOGIN, {"email": owner.user.email, "password": owner.password}))
    owner.client.get(AVATARS)
    assert limit_headers_of(JsonClient(data["access_token"]).get(AVATARS)) == (5, 3)


def test_a_person_has_a_rate_limit_in_each_of_their_accounts(owner, outsider):
    Membership.objects.create(user=owner.user, account=outsider.account, role=Role.VIEWER)
    answer = owner.client.post("/api/v1/auth/switch", {"account_id": str(outsider.account.pk)})
    there = JsonClient(data_of(answer)["access_token"])
    assert limit_headers_of(there.get(AVATARS)) == (5, 4)


def test_a_plan_sets_the_rate_limit(owner):
    Tier.objects.filter(pk="pro").update(requests_per_minute=50)
    Wallet.objects.filter(pk=owner.account.pk).update(tier="pro")
    assert limit_headers_of(owner.client.get(AVATARS)) == (50, 49)


def test_a_plan_sets_the_rate_limit_of_its_own_account_alone(owner, outsider):
    Tier.objects.filter(pk="pro").update(requests_per_minute=50)
    Wallet.objects.filter(pk=owner.account.pk).update(tier="pro")
    answers = [person.client.get(AVATARS) for person in (owner, outsider)]
    assert [limit_headers_of(answer) for answer in answers] == [(50, 49), (5, 4)]


def test_the_operator_may_set_one_rate_limit_for_all(owner, settings):
    settings.RATE_LIMIT_CALLERS = 9
    assert limit_headers_of(owner.client.get(AVATARS)) == (9, 8)


def test_anonymous_requests_count_by_address(anonymous):
    for _ in range(3):
        assert refusal_of(anonymous.post(LOGIN, NOBODY)) == (401, "invalid_credentials")
    assert refusal_of(anonymous.post(LOGIN, NOBODY)) == (429, "rate_limited")
    assert refusal_of(anonymous.post(LOGIN, NOBODY, REMOTE_ADDR="203.0.113.8")) == (401, "invalid_credentials")


def test_requests_with_bad_credentials_count_by_address():
    guesses = [JsonClient(f"guess{number}") for number in range(4)]
    assert [client.get(PROFILE).status_code for client in guesses] == [401, 401, 401, 429]


def test_guessed_api_keys_count_by_address():
    clients = [JsonClient() for _ in range(4)]
    for number, client in enumerate(clients):
        client.credentials(HTTP_X_API_KEY=f"gv_live_{number:012}_" + "A" * 43)
    assert [client.get(PROFILE).status_code for client in clients] == [401, 401, 401, 429]


def test_the_reason_for_refused_credentials_is_still_given(owner):
    program = make_key(owner, allowed_addresses=["203.0.113.0/24"])
    answer = program.client.get(AVATARS)
    assert refusal_of(answer) == (401, "not_authenticated")
    assert answer.json()["error"]["message"] == "This API key may not be used from this address."


def test_registering_has_a_rate_limit_of_its_own(anonymous, settings):
    settings.RATE_LIMIT_SIGN_UP = parse("1/hour")
    payload = {"email": "one@example.com", "password": "correct horse battery staple"}
    data_of(anonymous.post("/api/v1/auth/register", payload), 201)
    with nothing_changes():
        answer = anonymous.post("/api/v1/auth/register", payload | {"email": "two@example.com"})
        assert refusal_of(answer) == (429, "rate_limited")
    assert refusal_of(anonymous.post(LOGIN, NOBODY)) == (401, "invalid_credentials")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.7", "203.0.113.8", False),
    ],
)
def test_an_ipv6_network_shares_a_rate_limit(one, other, same):
    assert (rate_limits.rate_limit_network(one) == rate_limits.rate_limit_network(other)) is same


@pytest.mark.parametrize(
    ("proxies", "header", "counts_as"),
    [
        (0, "198.51.100.1", "127.0.0.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
    ],
)
def test_a_forwarded_address_that_a_caller_made_up_is_not_believed(rf, settings, proxies, header, counts_as):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": proxies}
    settings.RATE_LIMIT_ANONYMOUS = parse("1/minute")
    rate_limits.hit(settings.RATE_LIMIT_ANONYMOUS, f"address:{counts_as}")
    assert rate_limits.count_anonymous(rf.get("/", HTTP_X_FORWARDED_FOR=header)).is_over


# How it is counted


def test_of_many_concurrent_requests_exactly_the_limit_passes():
    limit = parse("10/minute")
    states = in_parallel([lambda: rate_limits.hit(limit, "crowd") for _ in range(40)])
    assert [state.is_over for state in states].count(False) == 10


def test_a_dead_redis_locks_nobody_out_and_limits_all_the_same(owner, settings, monkeypatch):
    monkeypatch.setattr(rate_limit_storage, "_shared_again_at", 0.0)
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert [owner.client.get(AVATARS).status_code for _ in range(6)] == [200] * 5 + [429]


def test_without_redis_one_process_counts_for_itself(owner, settings):
    settings.REDIS_URL = ""
    rate_limit_storage.memory().reset()
    assert [owner.client.get(AVATARS).status_code for _ in range(6)] == [200] * 5 + [429]


def test_the_token_of_an_ended_session_uses_up_nobodys_limit(owner, django_capture_on_commit_callbacks):
    fresh = sign_in(owner.user.email)
    with django_capture_on_commit_callbacks(execute=True):
        owner.client.post("/api/v1/auth/logout", {"refresh_token": owner.tokens.refresh_token})
    assert refusal_of(owner.client.get(PROFILE)) == (401, "not_authenticated")
    before = limit_headers_of(fresh.client.get(PROFILE))
    assert owner.client.get(PROFILE).status_code == 401
    assert limit_headers_of(fresh.client.get(PROFILE)) == (5, before[1] - 1)


def test_a_request_with_credentials_takes_one_trip_to_redis(owner):
    data_of(owner.client.get(PROFILE))
    assert redis_trips_of(lambda: data_of(owner.client.get(PROFILE))) == 1


def test_counting_requests_needs_no_query(owner, settings):
    Tier.objects.update(requests_per_minute=100)
    with_limits = queries_once_warm(lambda: owner.client.get(AVATARS))
    settings.RATE_LIMITS = False
    assert queries_once_warm(lambda: owner.client.get(AVATARS)) == with_limits


# HeyGen's webhook


def test_forged_deliveries_are_rate_limited_and_true_ones_never(client, settings):
    settings.RATE_LIMIT_FORGED_WEBHOOKS = parse("2/minute")
    settings.HEYGEN_WEBHOOK_SECRETS = ["whsec"]
    forged = [client.post("/webhooks/heygen/", b"{}", content_type="application/json") for _ in range(3)]
    assert [answer.status_code for answer in forged] == [401, 401, 429]


def test_the_redis_of_the_tests_is_the_one_that_counts():
    """Otherwise the tests above would prove nothing about Redis."""
    assert os.environ["REDIS_URL"].startswith("redis://")
    make_caller()
