"""Members: listing, roles, removal, the last owner."""

from functools import partial

import pytest

from accounts.enums import Role
from accounts.models import Membership, Session
from accounts.teams import members
from accounts.tests.teams import acts_of
from genvid.errors import DomainError
from genvid.tests.asserts import data_of, nothing_changes, queries_once_warm, refusal_of, wrong_fields_of
from genvid.tests.factories import JsonClient, make_key, make_teammate, make_video
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
MEMBERS, LEAVE, TRANSFER = "/api/v1/team/members", "/api/v1/team/leave", "/api/v1/team/transfer-ownership"


def path_of(person) -> str:
    return f"{MEMBERS}/{person.user.pk}"


def role_of(person) -> str | None:
    return Membership.objects.filter(user=person.user, account=person.account).values_list("role", flat=True).first()


@pytest.fixture
def second_owner(owner):
    return make_teammate(owner, Role.OWNER)


# ── Listing


def test_members_are_listed_the_newest_first(owner, viewer):
    newest, oldest = data_of(viewer.client.get(MEMBERS))
    assert (newest["user_id"], newest["role"]) == (str(viewer.user.pk), "viewer")
    assert oldest == {
        "user_id": str(owner.user.pk),
        "email": "owner@example.com",
        "full_name": "Olive Owner",
        "role": "owner",
        "joined_at": oldest["joined_at"],
    }


def test_member_list_is_paginated(owner, teammate, viewer):
    answer = owner.client.get(MEMBERS, {"limit": 2}).json()
    rest = owner.client.get(MEMBERS, {"limit": 2, "cursor": answer["meta"]["next_cursor"]})
    assert [len(answer["data"]), [each["email"] for each in data_of(rest)]] == [2, ["owner@example.com"]]


def test_member_list_query_count_does_not_depend_on_the_number_of_members(owner):
    few = queries_once_warm(lambda: owner.client.get(MEMBERS))
    for _ in range(3):
        make_teammate(owner)
    assert queries_once_warm(lambda: owner.client.get(MEMBERS)) == few


def test_members_of_another_account_are_hidden(owner, teammate, outsider):
    assert [each["email"] for each in data_of(outsider.client.get(MEMBERS))] == ["outsider@example.com"]


# ── Roles


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.MEMBER, Role.VIEWER])
def test_owner_can_give_any_role(owner, teammate, role):
    data = data_of(owner.client.patch(path_of(teammate), {"role": role}))
    assert (data["user_id"], data["role"], role_of(teammate)) == (str(teammate.user.pk), role, role)


def test_new_role_applies_from_the_next_request(owner, teammate, django_capture_on_commit_callbacks):
    assert refusal_of(teammate.client.get("/api/v1/api-keys")) == (403, "permission_denied")
    with django_capture_on_commit_callbacks(execute=True):
        owner.client.patch(path_of(teammate), {"role": "admin"})
    assert data_of(teammate.client.get("/api/v1/api-keys")) == []


def test_role_change_is_audited_once(owner, teammate):
    for _ in range(2):
        owner.client.patch(path_of(teammate), {"role": "viewer"})
    changes = [detail for act, detail in acts_of(owner) if act == "member.role_changed"]
    assert changes == [{"user": str(teammate.user.pk), "before": "member", "after": "viewer"}]


def test_admin_can_manage_all_but_owners(admin, teammate):
    assert data_of(admin.client.patch(path_of(teammate), {"role": "admin"}))["role"] == "admin"


def test_admin_cannot_make_a_member_owner(admin, teammate):
    with nothing_changes():
        assert refusal_of(admin.client.patch(path_of(teammate), {"role": "owner"})) == (403, "permission_denied")


@pytest.mark.parametrize("role", ["admin", "owner"])
def test_admin_cannot_change_or_remove_an_owner(admin, owner, role):
    with nothing_changes():
        answer = admin.client.patch(path_of(owner), {"role": role})
        assert refusal_of(answer) == (403, "permission_denied")
        assert answer.json()["error"]["message"] == "Only an owner decides about owners."
        assert refusal_of(admin.client.delete(path_of(owner))) == (403, "permission_denied")


@pytest.mark.parametrize("who", ["owner", "admin"])
def test_nobody_changes_their_own_role(request, who):
    person = request.getfixturevalue(who)
    with nothing_changes():
        answer = person.client.patch(path_of(person), {"role": "viewer"})
    assert refusal_of(answer) == (409, "conflict")
    assert "own role" in answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [{}, {"role": "boss"}, {"role": None}, {"role": 1}, {"role": "Owner"}], ids=str)
def test_unknown_role_is_refused(owner, teammate, body):
    with nothing_changes():
        assert wrong_fields_of(owner.client.patch(path_of(teammate), body)) == ["role"]


def test_member_of_another_account_is_not_found(owner, outsider):
    with nothing_changes():
        assert refusal_of(owner.client.patch(path_of(outsider), {"role": "viewer"})) == (404, "not_found")
        assert refusal_of(owner.client.delete(path_of(outsider))) == (404, "not_found")


@pytest.mark.parametrize("who", ["teammate", "viewer"])
def test_members_and_viewers_cannot_manage_members(request, owner, who):
    person, other = request.getfixturevalue(who), make_teammate(owner)
    with nothing_changes():
        assert refusal_of(person.client.patch(path_of(other), {"role": "viewer"})) == (403, "permission_denied")
        assert refusal_of(person.client.delete(path_of(other))) == (403, "permission_denied")


def test_permission_is_checked_again_under_the_account_lock(owner, admin, teammate):
    """The role is taken away between the permission check and the lock."""
    caller = admin.caller
    Membership.objects.filter(user=admin.user).update(role=Role.VIEWER)
    with nothing_changes(), pytest.raises(DomainError) as refusal:
        members.remove_member(caller, teammate.user.pk)
    assert refusal.value.code == "permission_denied"


# ── Removal


def test_removed_member_is_refused_with_the_next_request(owner, teammate, django_capture_on_commit_callbacks):
    assert teammate.client.get(MEMBERS).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        answer = owner.client.delete(path_of(teammate))
    assert (answer.status_code, answer.content) == (204, b"")
    assert refusal_of(teammate.client.get(MEMBERS)) == (401, "not_authenticated")


def test_sessions_of_a_removed_member_are_revoked(owner, teammate):
    owner.client.delete(path_of(teammate))
    refresh = {"refresh_token": teammate.tokens.refresh_token}
    assert refusal_of(JsonClient().post("/api/v1/auth/refresh", refresh)) == (401, "token_invalid")
    assert Session.objects.get(user=teammate.user).revoked_reason == "membership"


def test_sessions_of_a_removed_member_in_other_accounts_stay_valid(owner, outsider):
    Membership.objects.create(user=outsider.user, account=owner.account, role=Role.MEMBER)
    owner.client.delete(path_of(outsider))
    assert outsider.client.get(MEMBERS).status_code == 200


def test_api_keys_of_a_removed_member_are_revoked(owner, admin):
    program = make_key(admin)
    owner.client.delete(path_of(admin))
    assert refusal_of(program.client.get("/api/v1/videos")) == (401, "not_authenticated")
    assert data_of(owner.client.get("/api/v1/api-keys")) == []


def test_api_keys_stay_revoked_when_their_creator_rejoins(owner, admin):
    program = make_key(admin)
    owner.client.delete(path_of(admin))
    Membership.objects.create(user=admin.user, account=owner.account, role=Role.ADMIN)
    assert refusal_of(program.client.get("/api/v1/videos")) == (401, "not_authenticated")


def test_api_keys_of_other_members_stay_valid(owner, admin):
    program = make_key(owner)
    owner.client.delete(path_of(admin))
    assert program.client.get("/api/v1/videos").status_code == 200


def test_videos_of_a_removed_member_stay_in_the_account(owner, teammate):
    video = make_video(teammate)
    owner.client.delete(path_of(teammate))
    assert data_of(owner.client.get(f"/api/v1/videos/{video.pk}"))["status"] == "queued"


def test_removal_of_a_member_is_audited(owner, admin):
    make_key(admin)
    owner.client.delete(path_of(admin))
    assert acts_of(owner)[0] == (
        "member.removed",
        {"user": str(admin.user.pk), "role": "admin", "keys_revoked": "1"},
    )


def test_member_cannot_remove_themselves(owner):
    with nothing_changes():
        answer = owner.client.delete(path_of(owner))
    assert refusal_of(answer) == (409, "conflict")
    assert "team/leave" in answer.json()["error"]["message"]


def test_owner_can_remove_an_owner(owner, second_owner):
    assert owner.client.delete(path_of(second_owner)).status_code == 204
    assert role_of(second_owner) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", ["remove", "demote", "leave"])
def test_two_owners_acting_at_once_leave_one_owner(owner, second_owner, action):
    pair = [(owner, second_owner), (second_owner, owner)]
    actions = {
        "remove": [partial(members.remove_member, me.caller, them.user.pk) for me, them in pair],
        "demote": [partial(members.change_role, me.caller, them.user.pk, role="viewer") for me, them in pair],
        "leave": [partial(members.leave_account, me.caller) for me, _ in pair],
    }
    refused = [result for result in in_parallel(actions[action]) if isinstance(result, DomainError)]
    assert len(refused) == 1
    assert Membership.objects.filter(account=owner.account, role=Role.OWNER).count() == 1
