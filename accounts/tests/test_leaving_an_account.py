"""Leaving an account, transferring its ownership, renaming it."""

import pytest
from django.utils import timezone

from accounts.enums import Role
from accounts.models import ApiKey, Erasure, Membership, User
from accounts.tests.teams import acts_of
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.factories import JsonClient, make_key, make_teammate, sign_in

pytestmark = pytest.mark.django_db
MEMBERS, LEAVE, TRANSFER = "/api/v1/team/members", "/api/v1/team/leave", "/api/v1/team/transfer-ownership"


def role_of(person) -> str | None:
    return Membership.objects.filter(user=person.user, account=person.account).values_list("role", flat=True).first()


@pytest.fixture
def second_owner(owner):
    return make_teammate(owner, Role.OWNER)


# ── Leaving


def test_member_can_leave_an_account(owner, teammate):
    answer = teammate.client.post(LEAVE)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [each["email"] for each in data_of(owner.client.get(MEMBERS))] == ["owner@example.com"]
    assert acts_of(owner)[0] == ("member.left", {"role": "member", "keys_revoked": "0"})


def test_member_who_left_is_refused(owner, teammate):
    teammate.client.post(LEAVE)
    refresh = {"refresh_token": teammate.tokens.refresh_token}
    assert refusal_of(JsonClient().post("/api/v1/auth/refresh", refresh)) == (401, "token_invalid")


def test_last_owner_cannot_leave(owner, admin):
    with nothing_changes():
        answer = owner.client.post(LEAVE)
    assert refusal_of(answer) == (409, "conflict")
    assert "transfer-ownership" in answer.json()["error"]["message"]


def test_one_of_two_owners_can_leave(owner, second_owner):
    assert owner.client.post(LEAVE).status_code == 204
    assert role_of(owner) is None


def test_deactivated_or_erased_owners_do_not_count_as_remaining(owner, second_owner):
    erasure = Erasure.objects.create(user=second_owner.user, erase_after=timezone.now())
    assert refusal_of(owner.client.post(LEAVE)) == (409, "conflict")
    erasure.delete()
    User.objects.filter(pk=second_owner.user.pk).update(is_active=False)
    assert refusal_of(owner.client.post(LEAVE)) == (409, "conflict")


def test_api_key_cannot_leave_an_account(owner):
    program = make_key(owner)
    with nothing_changes(but=ApiKey):
        assert refusal_of(program.client.post(LEAVE)) == (403, "permission_denied")


# ── Transfer of ownership


def test_ownership_is_transferred_to_a_member(owner, teammate):
    data = data_of(owner.client.post(TRANSFER, {"user_id": str(teammate.user.pk), "password": owner.password}))
    assert (data["id"], data["role"], data["current"]) == (str(owner.account.pk), "admin", True)
    assert (role_of(owner), role_of(teammate)) == ("admin", "owner")
    heir = sign_in(teammate.user.email)
    assert acts_of(heir)[1] == ("account.ownership_transferred", {"user": str(teammate.user.pk)})


def test_ownership_transfer_requires_the_password(owner, teammate):
    with nothing_changes():
        answer = owner.client.post(TRANSFER, {"user_id": str(teammate.user.pk), "password": "wrong"})
    assert wrong_fields_of(answer) == ["password"]


@pytest.mark.parametrize("who", ["owner", "outsider"])
def test_ownership_transfer_to_a_non_member_or_oneself_is_refused(request, owner, who):
    payload = {"user_id": str(request.getfixturevalue(who).user.pk), "password": owner.password}
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(TRANSFER, payload)) == ["user_id"]


def test_ownership_transfer_to_a_deactivated_member_is_refused(owner, teammate):
    User.objects.filter(pk=teammate.user.pk).update(is_active=False)
    with nothing_changes():
        payload = {"user_id": str(teammate.user.pk), "password": owner.password}
        assert wrong_fields_of(owner.client.post(TRANSFER, payload)) == ["user_id"]


def test_only_an_owner_can_transfer_ownership(admin, teammate):
    with nothing_changes():
        payload = {"user_id": str(teammate.user.pk), "password": admin.password}
        assert refusal_of(admin.client.post(TRANSFER, payload)) == (403, "permission_denied")


# ── Renaming


@pytest.mark.parametrize("who", ["owner", "admin"])
def test_owners_and_admins_can_rename_the_account(request, who):
    person = request.getfixturevalue(who)
    data = data_of(person.client.patch("/api/v1/account", {"name": "Olive & Co"}))
    assert (data["name"], data["role"]) == ("Olive & Co", who)
    assert data_of(person.client.get("/api/v1/profile"))["account"]["name"] == "Olive & Co"


@pytest.mark.parametrize("name", ["", " ", None, 5, "x" * 151, "a\x00b"], ids=repr)
def test_invalid_account_name_is_refused(owner, name):
    with nothing_changes():
        assert wrong_fields_of(owner.client.patch("/api/v1/account", {"name": name})) == ["name"]
