"""Several accounts per person: listing, switching, the account of a login, people without an account."""

from functools import partial

import pytest

from accounts.auth.sign_in import login
from accounts.enums import Role
from accounts.models import Account, Membership, Session
from billing.models import CreditLot, LedgerEntry, Wallet
from genvid.tests.asserts import data_of, nothing_changes, queries_once_warm, refusal_of, wrong_fields_of
from genvid.tests.factories import PASSWORD, JsonClient, make_caller, make_key, make_teammate
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
ACCOUNTS, SWITCH, LOGIN = "/api/v1/accounts", "/api/v1/auth/switch", "/api/v1/auth/login"


@pytest.fixture
def guest(owner, outsider):
    """The outsider, also a member of the owner's account."""
    Membership.objects.create(user=outsider.user, account=owner.account, role=Role.VIEWER)
    return outsider


def switch(person, account):
    return person.client.post(SWITCH, {"account_id": str(account.pk)})


def sign_in_again(person):
    return data_of(JsonClient().post(LOGIN, {"email": person.user.email, "password": PASSWORD}))


# ── Listing


def test_account_list_shows_every_account_of_the_person(owner, guest):
    joined, own = data_of(guest.client.get(ACCOUNTS))
    assert joined == {
        "id": str(owner.account.pk),
        "name": "Olive Films",
        "role": "viewer",
        "created_at": joined["created_at"],
        "current": False,
    }
    assert (own["id"], own["role"], own["current"]) == (str(guest.account.pk), "owner", True)


def test_account_list_query_count_does_not_depend_on_the_number_of_accounts(guest):
    few = queries_once_warm(lambda: guest.client.get(ACCOUNTS))
    for _ in range(3):
        Membership.objects.create(user=guest.user, account=make_caller().account, role=Role.MEMBER)
    assert queries_once_warm(lambda: guest.client.get(ACCOUNTS)) == few


# ── Switching


def test_switching_signs_in_to_the_other_account(owner, guest):
    data = data_of(switch(guest, owner.account))
    assert set(data) == set(sign_in_again(guest))
    assert data["account"] == {"id": str(owner.account.pk), "name": "Olive Films", "role": "viewer"}
    there = JsonClient(data["access_token"])
    assert [each["current"] for each in data_of(there.get(ACCOUNTS))] == [True, False]


def test_switching_gives_the_role_in_the_other_account(owner, guest):
    there = JsonClient(data_of(switch(guest, owner.account))["access_token"])
    assert refusal_of(there.post("/api/v1/videos", {})) == (403, "permission_denied")


def test_switching_ends_the_previous_session(owner, guest, django_capture_on_commit_callbacks):
    assert guest.client.get(ACCOUNTS).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        data_of(switch(guest, owner.account))
    assert refusal_of(guest.client.get(ACCOUNTS)) == (401, "not_authenticated")
    refresh = {"refresh_token": guest.tokens.refresh_token}
    assert refusal_of(JsonClient().post("/api/v1/auth/refresh", refresh)) == (401, "token_invalid")
    assert Session.objects.get(pk=guest.caller.session_id).revoked_reason == "switched"


def test_switching_is_audited_in_the_account_it_leads_to(owner, guest):
    data_of(switch(guest, owner.account))
    (entry,) = data_of(owner.client.get("/api/v1/audit-log", {"act": "session.switched"}))
    assert (entry["user_id"], entry["detail"]) == (str(guest.user.pk), {"before": str(guest.account.pk)})


@pytest.mark.parametrize("value", ["", "x", None, 5, "00000000-0000-4000-8000-000000000000"], ids=repr)
def test_switching_to_an_invalid_account_id_is_refused(owner, value):
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(SWITCH, {"account_id": value})) == ["account_id"]


def test_switching_to_somebody_elses_account_is_refused(owner, outsider):
    with nothing_changes():
        assert wrong_fields_of(switch(owner, outsider.account)) == ["account_id"]


def test_api_key_cannot_switch_accounts(owner):
    program = make_key(owner)
    assert refusal_of(switch(program, owner.account)) == (403, "permission_denied")


@pytest.mark.django_db(transaction=True)
def test_of_parallel_switches_of_one_session_one_succeeds(owner, guest):
    statuses = [each.status_code for each in in_parallel([partial(switch, guest, owner.account)] * 4)]
    assert sorted(statuses) == [200, 401, 401, 401]
    assert Session.objects.alive().filter(user=guest.user).count() == 1


# ── Login


def test_login_leads_to_the_account_used_last(owner, guest):
    assert sign_in_again(guest)["account"]["id"] == str(guest.account.pk)
    data_of(switch(guest, owner.account))
    assert sign_in_again(guest)["account"]["id"] == str(owner.account.pk)


def test_login_leads_to_another_account_after_removal_from_the_last(owner, guest):
    data_of(switch(guest, owner.account))
    owner.client.delete(f"/api/v1/team/members/{guest.user.pk}")
    assert sign_in_again(guest)["account"]["id"] == str(guest.account.pk)


# ── Without an account


def test_login_without_memberships_creates_an_account(owner, teammate):
    owner.client.delete(f"/api/v1/team/members/{teammate.user.pk}")
    account = sign_in_again(teammate)["account"]
    assert (account["role"], account["id"] != str(owner.account.pk)) == ("owner", True)
    assert sign_in_again(teammate)["account"] == account


def test_first_own_account_gets_welcome_credits(owner, teammate):
    owner.client.delete(f"/api/v1/team/members/{teammate.user.pk}")
    account = sign_in_again(teammate)["account"]["id"]
    assert Wallet.objects.get(pk=account).balance == 30


def test_second_own_account_gets_no_welcome_credits(owner):
    """After transferring and leaving the first account, a new one starts with an empty wallet."""
    heir = make_teammate(owner)
    Membership.objects.filter(user=heir.user).update(role=Role.OWNER)
    assert owner.client.post("/api/v1/team/leave").status_code == 204
    account = sign_in_again(owner)["account"]["id"]
    assert Wallet.objects.get(pk=account).balance == 0
    assert (CreditLot.objects.filter(wallet=account).count(), LedgerEntry.objects.count()) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_parallel_logins_without_memberships_create_one_account(owner, teammate):
    Membership.objects.filter(user=teammate.user).delete()
    attempt = partial(login, email=teammate.user.email, password=PASSWORD)
    joined = {each.membership.account_id for each in in_parallel([attempt] * 4)}
    assert (len(joined), Account.objects.count()) == (1, 2)
