"""Parameters of password hashes, renewal of outdated ones, equal time for unknown addresses."""

import pytest
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    MD5PasswordHasher,
    PBKDF2PasswordHasher,
    check_password,
    make_password,
)

from accounts.auth import former_hashes, passwords
from accounts.enums import Revocation
from accounts.models import Session, User
from accounts.tests.hashers import FORMER, NEW, CountingHasher, RecordingArgon2Hasher, SlowHasher, parameters_of
from genvid.tests.asserts import queries_of, redis_trips_of, refusal_of, statements_of
from genvid.tests.factories import PASSWORD, JsonClient, make_caller

pytestmark = pytest.mark.django_db
LOGIN, REGISTER = "/api/v1/auth/login", "/api/v1/auth/register"
OTHER_PASSWORD = "a wholly different phrase"


def sign_in(email="owner@example.com", password=PASSWORD):
    return JsonClient().post(LOGIN, {"email": email, "password": password})


def store_hash(person, encoded):
    User.objects.filter(pk=person.user.pk).update(password=encoded)


def stored_hash():
    return User.objects.get(email="owner@example.com").password


@pytest.fixture
def argon2(settings):
    settings.PASSWORD_HASHERS = [hasher for hasher in settings.PASSWORD_HASHERS if "MD5" not in hasher]


@pytest.fixture
def recorded(settings):
    settings.PASSWORD_HASHERS = ["accounts.tests.hashers.RecordingArgon2Hasher"]
    RecordingArgon2Hasher.computed.clear()
    yield RecordingArgon2Hasher.computed
    RecordingArgon2Hasher.computed.clear()


def test_passwords_are_hashed_at_owasp_parameters(argon2):
    assert parameters_of(make_password(PASSWORD)) == NEW


OLD_HASHERS = [Argon2PasswordHasher(), PBKDF2PasswordHasher()]


@pytest.mark.parametrize("hasher", OLD_HASHERS, ids=lambda hasher: hasher.algorithm)
def test_sign_in_renews_an_outdated_hash(owner, argon2, hasher):
    store_hash(owner, hasher.encode(PASSWORD, "s" * 22))
    assert sign_in().status_code == 200
    assert parameters_of(stored_hash()) == NEW
    assert check_password(PASSWORD, stored_hash())


def test_sign_in_keeps_a_current_hash(owner, argon2):
    store_hash(owner, make_password(PASSWORD))
    before = stored_hash()
    assert sign_in().status_code == 200
    assert stored_hash() == before


def test_wrong_password_keeps_the_outdated_hash(owner, argon2):
    outdated = Argon2PasswordHasher().encode(PASSWORD, "s" * 22)
    store_hash(owner, outdated)
    assert refusal_of(sign_in(password="wrong")) == (401, "invalid_credentials")
    assert stored_hash() == outdated


@pytest.fixture
def outdated(owner, settings):
    """A hash of the owner that the preferred hasher renews; `SlowHasher.meanwhile` runs just before that."""
    settings.PASSWORD_HASHERS = ["accounts.tests.hashers.SlowHasher", "accounts.tests.hashers.CountingHasher"]
    encoded = CountingHasher().encode(PASSWORD, "salt")
    store_hash(owner, encoded)
    yield encoded
    SlowHasher.meanwhile = None


def test_renewal_of_a_hash_ends_no_session(owner, outdated):
    assert sign_in().status_code == 200
    assert owner.client.get("/api/v1/profile").status_code == 200
    assert Session.objects.exclude(revoked_reason="").count() == 0


def test_renewal_of_a_hash_does_not_overwrite_a_password_reset_meanwhile(owner, outdated):
    reset = MD5PasswordHasher().encode(OTHER_PASSWORD, "salt")
    SlowHasher.meanwhile = lambda: store_hash(owner, reset)
    assert refusal_of(sign_in()) == (401, "invalid_credentials")
    assert stored_hash() == reset


def test_two_sign_ins_at_once_with_an_outdated_hash_both_succeed(owner, outdated):
    inner = []
    SlowHasher.meanwhile = lambda: inner.append(sign_in().status_code)
    assert (sign_in().status_code, inner) == (200, [200])


def test_password_change_with_an_outdated_hash_ends_the_other_sessions(owner, outdated):
    body = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert owner.client.post("/api/v1/auth/password/change", body).status_code == 200
    assert check_password(OTHER_PASSWORD, stored_hash())
    assert list(Session.objects.values_list("revoked_reason", flat=True)) == ["", Revocation.PASSWORD]


def test_reset_link_works_with_an_outdated_hash(owner, outdated):
    passwords.reset_password(passwords.reset_token(User.objects.get()), OTHER_PASSWORD)
    assert check_password(OTHER_PASSWORD, stored_hash())


def test_unknown_address_takes_one_new_hash_like_a_known_one(owner, recorded):
    store_hash(owner, make_password(PASSWORD))
    recorded.clear()
    sign_in(password="wrong")
    sign_in("nobody@example.com")
    # Verifying computes one hash, as encoding does.
    assert recorded == [NEW, NEW]


def test_unknown_address_takes_one_former_hash_where_all_known_ones_have_one(owner, recorded):
    store_hash(owner, Argon2PasswordHasher().encode(PASSWORD, "s" * 22))
    sign_in(password="wrong")
    sign_in("nobody@example.com")
    assert recorded == [FORMER, FORMER]


def test_half_of_the_people_with_former_hashes_are_a_share_of_one_half(owner, outsider):
    store_hash(outsider, former_hashes.DECOY)
    assert former_hashes.share_of_former_hashes() == 0.5


def test_share_of_former_hashes_without_people_is_zero():
    assert former_hashes.share_of_former_hashes() == 0.0


def test_one_unknown_address_is_always_slow_or_always_fast(recorded):
    for _ in range(3):
        former_hashes.hash_for_unknown("nobody@example.com", PASSWORD, 0.5)
    assert len(set(recorded)) == 1


@pytest.mark.parametrize(("share", "parameters"), [(0.0, NEW), (1.0, FORMER)])
def test_share_decides_which_hash_an_unknown_address_takes(recorded, share, parameters):
    former_hashes.hash_for_unknown("nobody@example.com", PASSWORD, share)
    assert recorded == [parameters]


def test_sign_in_takes_twelve_statements_and_two_redis_trips(owner):
    sign_in()
    # Two of them are the savepoint of the test's own transaction.
    assert (queries_of(sign_in), redis_trips_of(sign_in)) == (12, 2)


def test_sign_in_after_a_failure_resets_it_with_a_third_redis_trip(owner):
    sign_in()
    sign_in(password="wrong")
    assert redis_trips_of(sign_in) == 3


@pytest.mark.parametrize("email", ["owner@example.com", "nobody@example.com"])
def test_refused_sign_in_takes_four_statements(owner, email):
    sign_in(password="wrong")
    assert queries_of(lambda: sign_in(email, "wrong")) == 4


def test_registration_looks_for_no_sessions_and_writes_no_row_twice(anonymous):
    body = {"email": "ada@example.com", "password": PASSWORD}
    statements = statements_of(lambda: anonymous.post(REGISTER, body))
    assert [each for each in statements if "accounts_session" in each and not each.startswith("INSERT")] == []
    assert [each for each in statements if each.startswith("UPDATE") and '"accounts_' in each] == []
    assert len(statements) == 27


def test_registration_stores_when_the_person_was_welcomed_and_the_membership_used():
    person = make_caller()
    person.user.refresh_from_db()
    assert person.user.welcomed_at is not None
    assert person.user.memberships.get().last_used_at is not None


def test_registered_person_is_not_welcomed_again(owner):
    owner.user.memberships.all().delete()
    assert sign_in().status_code == 200
    assert User.objects.get().memberships.get().account.wallet.balance == 0
