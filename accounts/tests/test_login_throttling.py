"""Login throttling: limits, known networks, equal treatment of unknown addresses."""

from datetime import timedelta

import pytest
import redis
import time_machine
from django.utils import timezone
from limits import parse

from accounts.auth import passwords
from accounts.models import AuditEntry, KnownNetwork, Session, User
from accounts.privacy import retention
from accounts.tests.hashers import CountingHasher
from genvid import rate_limit_storage
from genvid.tests.asserts import nothing_changes, queries_of, refusal_of
from genvid.tests.factories import PASSWORD, JsonClient, make_caller

pytestmark = pytest.mark.django_db
LOGIN = "/api/v1/auth/login"
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.4"


def sign_in(password=PASSWORD, email="owner@example.com", address=ELSEWHERE):
    return JsonClient().post(LOGIN, {"email": email, "password": password}, REMOTE_ADDR=address)


def fail(times: int, **how) -> list[int]:
    return [sign_in("wrong", **how).status_code for _ in range(times)]


@pytest.fixture
def attackers():
    """One failed login from each of a number of networks."""
    return lambda many: [sign_in("wrong", address=f"192.0.2.{number}").status_code for number in range(1, many + 1)]


def test_login_is_throttled_after_five_wrong_passwords(owner):
    assert fail(6) == [401] * 5 + [429]


def test_throttled_login_refuses_the_right_password(owner, settings):
    settings.PASSWORD_HASHERS = ["accounts.tests.hashers.CountingHasher"]
    User.objects.update(password=CountingHasher().encode(PASSWORD, "salt"))
    fail(5)
    CountingHasher.runs = 0
    response = sign_in()
    assert refusal_of(response) == (429, "rate_limited")
    assert response.json()["error"]["retryable"] is True
    assert 0 < int(response["Retry-After"]) <= 900
    assert CountingHasher.runs == 0


def test_login_is_allowed_after_retry_after_seconds(owner):
    fail(5)
    wait = int(sign_in()["Retry-After"])
    with time_machine.travel(timedelta(seconds=wait + 1)):
        assert sign_in().status_code == 200


def test_throttled_attempts_do_not_extend_the_wait(owner):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        fail(5)
        clock.shift(timedelta(minutes=14))
        fail(20)
        clock.shift(timedelta(minutes=1, seconds=1))
        assert sign_in().status_code == 200


def test_successful_login_resets_the_failures_of_the_person(owner):
    fail(4)
    assert sign_in().status_code == 200
    assert fail(5) == [401] * 5


def test_successful_login_does_not_reset_the_failures_of_the_network(owner, settings):
    settings.LOGIN_LIMIT_PER_ADDRESS = parse("3/15 minute")
    others = [fail(1, email=f"other{number}@example.com") for number in range(2)]
    assert sign_in().status_code == 200
    assert (others, fail(2, email="one.more@example.com")) == ([[401], [401]], [401, 429])


def test_unknown_address_is_throttled_like_a_known_one(owner):
    assert fail(6, email="nobody@example.com") == [401] * 5 + [429]


def test_throttling_message_is_equal_for_known_and_unknown_addresses(owner):
    fail(5), fail(5, email="nobody@example.com")
    known, unknown = (sign_in(email=email).json()["error"] for email in ("owner@example.com", "nobody@example.com"))
    assert known == unknown


def test_failed_login_takes_equal_queries_for_known_and_unknown_addresses(owner):
    sign_in("wrong")
    known, unknown = (
        queries_of(lambda email=email: sign_in("x", email=email)) for email in ("owner@example.com", "n@b.c")
    )
    assert known == unknown


def test_failed_login_writes_equally_many_audit_entries_for_known_and_unknown_addresses(owner):
    for email in ("owner@example.com", "nobody@example.com"):
        sign_in("wrong", email=email)
    entries = AuditEntry.objects.filter(act="session.refused").order_by("created_at")
    assert list(entries.values_list("user", "account")) == [(owner.user.pk, owner.account.pk), (None, None)]


def test_login_limit_ignores_the_case_of_the_address(owner):
    spellings = [
        "owner@example.com",
        "OWNER@example.com",
        " owner@example.com",
        "Owner@Example.Com",
        "owner@example.com",
    ]
    assert [sign_in("wrong", email=email).status_code for email in spellings] == [401] * 5
    assert sign_in(email="oWNER@example.com").status_code == 429


def test_failed_logins_of_one_network_are_limited_over_all_addresses(owner, settings):
    settings.LOGIN_LIMIT_PER_ADDRESS = parse("6/15 minutes")
    answers = [sign_in("wrong", email=f"person{number}@example.com").status_code for number in range(7)]
    assert answers == [401] * 6 + [429]
    assert sign_in(address=HOME).status_code == 200


def test_ipv6_addresses_of_one_64_network_share_a_limit(owner):
    answers = [sign_in("wrong", address=f"2001:db8:1:2::{number}").status_code for number in range(1, 7)]
    assert answers == [401] * 5 + [429]
    assert sign_in(address="2001:db8:1:3::1").status_code == 200


def test_failed_logins_of_many_networks_are_limited_per_address(owner, attackers):
    assert attackers(21) == [401] * 20 + [429]


def test_failed_logins_elsewhere_do_not_block_a_known_network(owner, attackers):
    sign_in(address=HOME)
    attackers(25)
    assert sign_in(address=HOME).status_code == 200


def test_failed_logins_for_one_address_do_not_block_others(owner, outsider, attackers):
    attackers(25)
    assert sign_in(email="outsider@example.com", address="192.0.2.200").status_code == 200


def test_failed_logins_elsewhere_block_an_unknown_network(owner, attackers):
    attackers(25)
    assert refusal_of(sign_in(address=HOME)) == (429, "rate_limited")
    with time_machine.travel(timedelta(hours=1, seconds=2)):
        assert sign_in(address=HOME).status_code == 200


def test_known_network_is_throttled_after_five_wrong_passwords(owner):
    sign_in(address=HOME)
    assert fail(6, address=HOME) == [401] * 5 + [429]


def test_failures_from_a_known_network_do_not_count_elsewhere(owner, settings):
    settings.LOGIN_LIMIT_PER_EMAIL = parse("3/hour")
    sign_in(address=HOME)
    fail(4, address=HOME)
    assert sign_in().status_code == 200


def test_registration_makes_the_network_known(anonymous, attackers):
    body = {"email": "owner@example.com", "password": PASSWORD}
    anonymous.post("/api/v1/auth/register", body, REMOTE_ADDR=HOME)
    attackers(25)
    assert sign_in(address=HOME).status_code == 200


def test_known_network_is_stored_once(owner):
    for _ in range(3):
        sign_in(address=HOME)
    sign_in(address="2001:db8:1:2::1"), sign_in(address="2001:db8:1:2::2")
    networks = (
        KnownNetwork.objects.filter(user=owner.user).exclude(network="127.0.0.1").values_list("network", flat=True)
    )
    assert sorted(networks) == ["2001:db8:1:2::/64", HOME]


def test_known_network_is_deleted_after_ninety_days(owner):
    sign_in(address=HOME)
    sign_in()
    KnownNetwork.objects.filter(network=HOME).update(last_used_at=timezone.now() - timedelta(days=90, seconds=1))
    retention.delete_known_networks()
    assert not KnownNetwork.objects.filter(network=HOME).exists()
    assert KnownNetwork.objects.filter(network=ELSEWHERE).exists()


def test_throttling_is_audited_once(owner):
    fail(12)
    entry = AuditEntry.objects.get(act="session.throttled")
    assert (entry.user, entry.account, entry.address) == (owner.user, owner.account, ELSEWHERE)


def test_throttled_login_changes_nothing(owner):
    fail(6)
    with nothing_changes():
        assert fail(3) == [429] * 3


def test_wrong_password_creates_no_session(owner):
    before = Session.objects.count()
    fail(3)
    assert Session.objects.count() == before


@pytest.fixture
def dead_redis(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    monkeypatch.setattr(rate_limit_storage, "_shared_again_at", 0.0)
    rate_limit_storage.memory().reset()


def test_login_works_while_redis_is_down(owner, dead_redis):
    assert sign_in().status_code == 200


def test_failed_logins_are_counted_per_process_while_redis_is_down(owner, dead_redis):
    assert fail(6) == [401] * 5 + [429]


def test_failed_logins_are_counted_per_process_without_redis(owner, dead_redis, settings):
    settings.REDIS_URL = ""
    assert fail(6) == [401] * 5 + [429]


def test_login_counters_contain_no_addresses(owner, settings):
    fail(2)
    keys = redis.Redis.from_url(settings.REDIS_URL).keys("*")
    assert [key for key in keys if b"owner" in key] == []
    assert [key for key in keys if b"login" in key] != []


def test_failed_login_is_audited_in_the_oldest_account(owner):
    other = make_caller()
    other.user.memberships.create(account=owner.account, role="viewer")
    sign_in("wrong", email=other.user.email)
    assert AuditEntry.objects.get(act="session.refused").account == other.account


def test_password_reset_makes_the_network_known(owner, attackers, settings):
    settings.LOGIN_LIMIT_PER_EMAIL = parse("4/hour")
    assert attackers(5) == [401] * 4 + [429]
    assert sign_in(address=ELSEWHERE).status_code == 429
    body = {"token": passwords.reset_token(owner.user), "new_password": "a wholly different phrase"}
    assert JsonClient().post("/api/v1/auth/password/reset", body, REMOTE_ADDR=ELSEWHERE).status_code == 200
    assert sign_in(body["new_password"], address=ELSEWHERE).status_code == 200
    assert sign_in(body["new_password"], address="198.51.100.5").status_code == 429


def test_refused_password_reset_does_not_make_the_network_known(owner):
    with nothing_changes():
        body = {"token": "forged", "new_password": "a wholly different phrase"}
        JsonClient().post("/api/v1/auth/password/reset", body, REMOTE_ADDR=ELSEWHERE)
    assert not KnownNetwork.objects.filter(network=ELSEWHERE).exists()
