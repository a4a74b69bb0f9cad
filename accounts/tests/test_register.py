from contextlib import contextmanager

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError
from django.db.models.signals import post_save

from accounts.auth.sign_in import register
from accounts.models import Account, Membership, Session, User
from genvid.errors import ValidationFailed
from genvid.tests.asserts import data_of, nothing_changes, the_ledger_proves, wrong_fields_of
from genvid.tests.factories import PASSWORD
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
REGISTER = "/api/v1/auth/register"
ADA = {"email": "ada@example.com", "password": PASSWORD, "full_name": "Ada Lovelace", "company_name": "Engines Ltd"}


def test_registration_returns_user_account_and_tokens(anonymous):
    data = data_of(anonymous.post(REGISTER, ADA), 201)
    user, account = User.objects.get(), Account.objects.get()
    assert data == {
        "user": {
            "id": str(user.pk),
            "email": "ada@example.com",
            "email_verified": False,
            "full_name": "Ada Lovelace",
            "company_name": "Engines Ltd",
        },
        "account": {"id": str(account.pk), "name": "Engines Ltd", "role": "owner"},
        "access_token": data["access_token"],
        "refresh_token": data["refresh_token"],
        "token_type": "Bearer",
        "expires_in": 900,
    }


def test_tokens_of_a_registration_work_at_once(anonymous):
    data = data_of(anonymous.post(REGISTER, ADA), 201)
    headers = {"HTTP_AUTHORIZATION": f"Bearer {data['access_token']}"}
    assert data_of(anonymous.get("/api/v1/profile", **headers))["email"] == "ada@example.com"
    assert anonymous.post("/api/v1/auth/refresh", {"refresh_token": data["refresh_token"]}).status_code == 200


def test_a_new_account_has_one_owner_and_the_welcome_credits(anonymous):
    anonymous.post(REGISTER, ADA)
    membership = Membership.objects.get()
    assert (membership.role, membership.account.wallet.balance) == ("owner", django_settings.SIGNUP_CREDITS)
    assert the_ledger_proves()


def test_welcome_credits_can_be_turned_off(anonymous, settings):
    settings.SIGNUP_CREDITS = 0
    anonymous.post(REGISTER, ADA)
    assert Account.objects.get().wallet.balance == 0
    assert the_ledger_proves()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"company_name": "Engines Ltd", "full_name": "Ada"}, "Engines Ltd"),
        ({"company_name": "", "full_name": "Ada"}, "Ada"),
        ({"company_name": "   ", "full_name": " Ada "}, "Ada"),
        ({}, "ada"),
    ],
)
def test_new_account_is_named_after_company_person_or_address(anonymous, given, name):
    anonymous.post(REGISTER, {"email": "ada@example.com", "password": PASSWORD} | given)
    assert Account.objects.get().name == name


@pytest.mark.parametrize("given", ["Ada@Example.COM", "  ada@example.com ", "ADA@EXAMPLE.COM\n"])
def test_address_is_stored_in_lower_case_without_blanks(anonymous, given):
    data = data_of(anonymous.post(REGISTER, ADA | {"email": given}), 201)
    assert (data["user"]["email"], User.objects.get().email) == ("ada@example.com", "ada@example.com")


@pytest.mark.parametrize("given", ["ada@example.com", "ADA@example.com", "Ada@Example.Com"])
def test_registered_address_is_refused_in_any_case(anonymous, given):
    anonymous.post(REGISTER, ADA)
    with nothing_changes():
        response = anonymous.post(REGISTER, ADA | {"email": given})
    assert wrong_fields_of(response) == ["email"]
    assert response.json()["error"]["details"] == {"email": "This address is already registered."}


@contextmanager
def other_violation(model):
    """Every insert into the table of `model` violates a constraint unrelated to the e-mail address."""

    def violate(**_):
        raise IntegrityError("another constraint")

    post_save.connect(violate, sender=model)
    try:
        yield
    finally:
        post_save.disconnect(violate, sender=model)


@pytest.mark.parametrize("model", [User, Account, Membership, Session])
def test_violation_of_another_constraint_is_not_reported_as_a_registered_address(db, model):
    with other_violation(model), nothing_changes(), pytest.raises(IntegrityError, match="another constraint"):
        register(email="ada@example.com", password=PASSWORD)


@pytest.mark.parametrize("given", ["", "ada", "ada@", "@example.com", "a b@example.com", "x" * 250 + "@example.com"])
def test_registration_with_an_invalid_address_is_refused(anonymous, given):
    with nothing_changes():
        assert wrong_fields_of(anonymous.post(REGISTER, ADA | {"email": given})) == ["email"]


@pytest.mark.parametrize("weak", ["short", "password", "12345678901", "ada@example.com", "", "x" * 257])
def test_registration_with_a_weak_password_is_refused(anonymous, weak):
    with nothing_changes():
        assert wrong_fields_of(anonymous.post(REGISTER, ADA | {"password": weak})) == ["password"]


@pytest.mark.parametrize("password", ["Ada Lovelace", "Engines Ltd"])
def test_registration_with_a_password_similar_to_the_name_is_refused(anonymous, password):
    with nothing_changes():
        assert wrong_fields_of(anonymous.post(REGISTER, ADA | {"password": password})) == ["password"]


def test_blanks_of_a_password_are_significant(anonymous):
    anonymous.post(REGISTER, ADA | {"password": "  blanks count here  "})
    assert User.objects.get().check_password("  blanks count here  ")


@pytest.mark.parametrize("field", ["full_name", "company_name"])
def test_names_have_at_most_150_characters(anonymous, field):
    with nothing_changes():
        assert wrong_fields_of(anonymous.post(REGISTER, ADA | {field: "é" * 151})) == [field]
    assert anonymous.post(REGISTER, ADA | {field: "é" * 150}).status_code == 201


def test_names_may_be_in_any_script(anonymous):
    data = data_of(anonymous.post(REGISTER, ADA | {"full_name": "李 雷 👩🏽‍🚀"}), 201)
    assert data["user"]["full_name"] == "李 雷 👩🏽‍🚀"


@pytest.mark.django_db(transaction=True)
def test_of_parallel_registrations_of_one_address_one_succeeds():
    spellings = ["ada@example.com", "ADA@example.com", "Ada@Example.com", "ada@EXAMPLE.com"]
    results = in_parallel([lambda given=given: register(email=given, password=PASSWORD) for given in spellings])
    refused = [result.details for result in results if isinstance(result, ValidationFailed)]
    assert refused == [{"email": "This address is already registered."}] * 3
    counts = [model.objects.count() for model in (User, Account, Membership, Session)]
    assert (counts, the_ledger_proves()) == ([1, 1, 1, 1], True)
