import pytest
from django.contrib.auth.hashers import identify_hasher
from django.utils import timezone

from accounts.models import AuditEntry, Session, User
from accounts.tests.hashers import CountingHasher
from genvid.tests.asserts import data_of, doc_url_of, nothing_changes, refusal_of
from genvid.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
LOGIN = "/api/v1/auth/login"
PRODUCTION_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]


def sign_in(client, email="owner@example.com", password=PASSWORD):
    return client.post(LOGIN, {"email": email, "password": password})


def test_signing_in_answers_as_registering_did(owner, stranger):
    data = data_of(sign_in(stranger))
    assert data == {
        "user": {
            "id": str(owner.user.pk),
            "email": "owner@example.com",
            "email_verified": False,
            "full_name": "Olive Owner",
            "company_name": "Olive Films",
        },
        "account": {"id": str(owner.account.pk), "name": "Olive Films", "role": "owner"},
        "access_token": data["access_token"],
        "refresh_token": data["refresh_token"],
        "token_type": "Bearer",
        "expires_in": 900,
    }


@pytest.mark.parametrize("email", ["owner@example.com", "OWNER@Example.com", " owner@example.com "])
def test_the_address_may_be_written_in_any_case(owner, stranger, email):
    assert sign_in(stranger, email).status_code == 200


def test_each_sign_in_is_a_session_of_its_own(owner, stranger):
    sign_in(stranger)
    sign_in(stranger)
    assert Session.objects.filter(user=owner.user).count() == 3


def test_signing_in_notes_when(owner, stranger):
    before = timezone.now()
    sign_in(stranger)
    assert before <= User.objects.get().last_login <= timezone.now()


def test_a_teammate_signs_in_to_the_owners_account(owner, teammate, stranger):
    account = data_of(sign_in(stranger, teammate.user.email))["account"]
    assert account == {"id": str(owner.account.pk), "name": "Olive Films", "role": "member"}


WRONG = [("owner@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("nonsense", PASSWORD)]


@pytest.mark.parametrize(("email", "password"), WRONG)
def test_wrong_is_wrong_whatever_it_was(owner, stranger, email, password):
    with nothing_changes(but=AuditEntry):
        response = sign_in(stranger, email, password)
    assert refusal_of(response) == (401, "invalid_credentials")
    assert response.json()["error"] == {
        "code": "invalid_credentials",
        "message": "The e-mail or the password is wrong.",
        "retryable": False,
        "doc_url": doc_url_of("invalid_credentials"),
    }


def test_somebody_who_was_switched_off_gets_the_same_answer(owner, stranger):
    User.objects.update(is_active=False)
    with nothing_changes(but=AuditEntry):
        response = sign_in(stranger)
    assert refusal_of(response) == (401, "invalid_credentials")


@pytest.mark.parametrize("email", ["owner@example.com", "nobody@example.com"])
def test_an_unknown_address_costs_the_same_work(owner, stranger, settings, email):
    settings.PASSWORD_HASHERS = ["accounts.tests.hashers.CountingHasher"]
    owner.user.set_password(PASSWORD)
    owner.user.save()
    CountingHasher.runs = 0
    sign_in(stranger, email, "wrong")
    assert CountingHasher.runs == 1


def test_outside_the_tests_passwords_are_hashed_with_argon2(stranger, settings):
    settings.PASSWORD_HASHERS = [hasher for hasher in settings.PASSWORD_HASHERS if "MD5" not in hasher]
    assert settings.PASSWORD_HASHERS == PRODUCTION_HASHERS
    stranger.post("/api/v1/auth/register", {"email": "ada@example.com", "password": PASSWORD})
    assert identify_hasher(User.objects.get().password).algorithm == "argon2"
    assert sign_in(stranger, "ada@example.com").status_code == 200


def test_the_password_is_kept_nowhere(stranger):
    stranger.post("/api/v1/auth/register", {"email": "ada@example.com", "password": PASSWORD})
    row = User.objects.values().get()
    assert [name for name, value in row.items() if PASSWORD in str(value)] == []
