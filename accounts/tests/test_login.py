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
    "accounts.auth.password_hashers.OwaspArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]


def sign_in(client, email="owner@example.com", password=PASSWORD):
    return client.post(LOGIN, {"email": email, "password": password})


def test_login_response_equals_the_registration_response(owner, anonymous):
    data = data_of(sign_in(anonymous))
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
def test_login_accepts_the_address_in_any_case(owner, anonymous, email):
    assert sign_in(anonymous, email).status_code == 200


def test_each_login_creates_a_session(owner, anonymous):
    sign_in(anonymous)
    sign_in(anonymous)
    assert Session.objects.filter(user=owner.user).count() == 3


def test_login_updates_last_login(owner, anonymous):
    before = timezone.now()
    sign_in(anonymous)
    assert before <= User.objects.get().last_login <= timezone.now()


def test_a_teammate_signs_in_to_the_owners_account(owner, teammate, anonymous):
    account = data_of(sign_in(anonymous, teammate.user.email))["account"]
    assert account == {"id": str(owner.account.pk), "name": "Olive Films", "role": "member"}


WRONG = [("owner@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("nonsense", PASSWORD)]


@pytest.mark.parametrize(("email", "password"), WRONG)
def test_wrong_password_and_unknown_address_get_equal_responses(owner, anonymous, email, password):
    with nothing_changes(but=AuditEntry):
        response = sign_in(anonymous, email, password)
    assert refusal_of(response) == (401, "invalid_credentials")
    assert response.json()["error"] == {
        "code": "invalid_credentials",
        "message": "The e-mail or the password is wrong.",
        "retryable": False,
        "doc_url": doc_url_of("invalid_credentials"),
    }


def test_deactivated_user_gets_the_response_of_a_wrong_password(owner, anonymous):
    User.objects.update(is_active=False)
    with nothing_changes(but=AuditEntry):
        response = sign_in(anonymous)
    assert refusal_of(response) == (401, "invalid_credentials")


@pytest.mark.parametrize("email", ["owner@example.com", "nobody@example.com"])
def test_login_hashes_a_password_for_unknown_addresses_as_well(owner, anonymous, settings, email):
    settings.PASSWORD_HASHERS = ["accounts.tests.hashers.CountingHasher"]
    owner.user.set_password(PASSWORD)
    owner.user.save()
    CountingHasher.runs = 0
    sign_in(anonymous, email, "wrong")
    assert CountingHasher.runs == 1


def test_production_hashes_passwords_with_argon2(anonymous, settings):
    settings.PASSWORD_HASHERS = [hasher for hasher in settings.PASSWORD_HASHERS if "MD5" not in hasher]
    assert settings.PASSWORD_HASHERS == PRODUCTION_HASHERS
    anonymous.post("/api/v1/auth/register", {"email": "ada@example.com", "password": PASSWORD})
    assert identify_hasher(User.objects.get().password).algorithm == "argon2"
    assert sign_in(anonymous, "ada@example.com").status_code == 200


def test_password_is_not_stored_in_plain_text(anonymous):
    anonymous.post("/api/v1/auth/register", {"email": "ada@example.com", "password": PASSWORD})
    row = User.objects.values().get()
    assert [name for name, value in row.items() if PASSWORD in str(value)] == []
