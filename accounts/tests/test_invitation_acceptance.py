"""Acceptance of invitations by new and registered users."""

from functools import partial

import pytest
from django.core import signing
from django.db import IntegrityError

from accounts.auth import totp
from accounts.enums import AuditAct
from accounts.models import Account, AuditEntry, Membership, Session, User
from accounts.teams.invitation_acceptance import accept_invitation
from accounts.teams.invitations import SALT, token_of
from accounts.tests.teams import later
from accounts.tests.test_register import other_violation
from billing.models import LedgerEntry
from genvid.errors import TokenInvalid
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.factories import PASSWORD, JsonClient, make_caller, make_invitation
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
INVITATIONS, ACCEPT = "/api/v1/team/invitations", "/api/v1/auth/invitations/accept"
NEW = "new@example.com"


@pytest.fixture
def invitation(owner):
    return make_invitation(owner, email=NEW)


def accept(invitation, client=None, **body):
    return (client or JsonClient()).post(ACCEPT, {"token": token_of(invitation)} | body)


# ── New users


def test_new_user_joins_with_a_password(owner, invitation):
    data = data_of(accept(invitation, password=PASSWORD, full_name="Nora New"))
    assert data["account"] == {"id": str(owner.account.pk), "name": "Olive Films", "role": "member"}
    user = {name: data["user"][name] for name in ("email", "email_verified", "full_name")}
    assert user == {"email": NEW, "email_verified": True, "full_name": "Nora New"}
    assert data_of(JsonClient(data["access_token"]).get("/api/v1/videos")) == []


def test_new_user_who_joins_gets_no_account_or_credits(owner, invitation):
    data_of(accept(invitation, password=PASSWORD))
    assert (Account.objects.count(), LedgerEntry.objects.count()) == (1, 1)


def test_new_user_who_joined_signs_in_with_the_password(owner, invitation):
    data_of(accept(invitation, password=PASSWORD))
    answer = JsonClient().post("/api/v1/auth/login", {"email": NEW, "password": PASSWORD})
    assert data_of(answer)["account"]["id"] == str(owner.account.pk)


@pytest.mark.parametrize("password", [None, "short", "password", "12345678901"], ids=str)
def test_new_user_with_a_weak_password_is_refused(invitation, password):
    with nothing_changes():
        assert wrong_fields_of(accept(invitation, **({"password": password} if password else {}))) == ["password"]


def test_joining_is_audited(owner, invitation):
    user_id = data_of(accept(invitation, password=PASSWORD))["user"]["id"]
    joined = AuditEntry.objects.get(act=AuditAct.MEMBER_JOINED)
    assert (joined.account, str(joined.user_id), joined.detail) == (
        owner.account,
        user_id,
        {"role": "member", "invited_by": str(owner.user.pk)},
    )


# ── Registered users


@pytest.fixture
def known(owner):
    return make_caller(email="known@example.com", full_name="Kim Known")


@pytest.fixture
def their_invitation(owner, known):
    return make_invitation(owner, email=known.user.email)


def test_registered_user_joins_with_an_access_token(owner, known, their_invitation):
    data = data_of(accept(their_invitation, known.client))
    assert (data["account"]["id"], data["user"]["id"]) == (str(owner.account.pk), str(known.user.pk))
    assert Membership.objects.filter(user=known.user).count() == 2


def test_registered_user_joins_with_the_password(owner, known, their_invitation):
    data = data_of(accept(their_invitation, password=PASSWORD, full_name="Somebody Else"))
    assert (data["account"]["id"], data["user"]["full_name"]) == (str(owner.account.pk), "Kim Known")


def test_accepting_an_invitation_verifies_the_address(known, their_invitation):
    assert data_of(accept(their_invitation, known.client))["user"]["email_verified"] is True


def test_accepting_an_invitation_keeps_the_current_session(known, their_invitation):
    data_of(accept(their_invitation, known.client))
    assert data_of(known.client.get("/api/v1/profile"))["account"]["id"] == str(known.account.pk)


def test_accepting_with_a_wrong_password_is_refused(their_invitation):
    with nothing_changes(but=AuditEntry):
        assert refusal_of(accept(their_invitation, password="wrong")) == (401, "invalid_credentials")


def test_accepting_with_wrong_passwords_is_throttled(their_invitation):
    answers = [refusal_of(accept(their_invitation, password=f"wrong {number}")) for number in range(6)]
    assert answers == [(401, "invalid_credentials")] * 5 + [(429, "rate_limited")]


def test_accepting_with_a_password_requires_the_second_factor(known, their_invitation):
    totp.enroll_by_operator(known.user)
    with nothing_changes():
        assert refusal_of(accept(their_invitation, password=PASSWORD)) == (401, "totp_required")


def test_accepting_without_password_or_token_is_refused(their_invitation):
    with nothing_changes():
        assert refusal_of(accept(their_invitation)) == (401, "not_authenticated")


def test_accepting_as_another_person_is_refused(outsider, their_invitation):
    with nothing_changes():
        assert refusal_of(accept(their_invitation, outsider.client)) == (403, "permission_denied")


def test_accepting_with_an_invalid_access_token_is_refused(their_invitation):
    with nothing_changes():
        assert refusal_of(accept(their_invitation, JsonClient("stale"))) == (401, "not_authenticated")


def test_deactivated_user_cannot_accept_an_invitation(known, their_invitation):
    User.objects.filter(pk=known.user.pk).update(is_active=False)
    with nothing_changes(but=AuditEntry):
        assert refusal_of(accept(their_invitation, password=PASSWORD)) == (401, "invalid_credentials")


# ── Refusals


def test_invitation_is_accepted_once(known, their_invitation):
    data_of(accept(their_invitation, known.client))
    with nothing_changes():
        assert refusal_of(accept(their_invitation, known.client)) == (401, "token_invalid")


def test_invitation_expires_after_seven_days(invitation):
    with later(days=7, seconds=1), nothing_changes():
        assert refusal_of(accept(invitation, password=PASSWORD)) == (401, "token_invalid")


def test_invitation_is_valid_for_seven_days(invitation):
    with later(days=6, hours=23):
        assert accept(invitation, password=PASSWORD).status_code == 200


FORGED = {
    "nonsense": "x",
    "three_parts": "a:b:c",
    "not_ascii": "é",
    "other_purpose": signing.dumps({"invitation": "00000000-0000-0000-0000-000000000000"}, salt="something else"),
    "nobody": signing.dumps({"invitation": "00000000-0000-0000-0000-000000000000"}, salt=SALT),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_forged_invitation_token_is_refused(invitation, token):
    with nothing_changes():
        answer = JsonClient().post(ACCEPT, {"token": token, "password": PASSWORD})
    assert refusal_of(answer) == (401, "token_invalid")


def test_invitation_stays_valid_without_its_inviter(owner, admin):
    invitation = make_invitation(admin, email=NEW)
    owner.client.delete(f"/api/v1/team/members/{admin.user.pk}")
    assert data_of(accept(invitation, password=PASSWORD))["account"]["id"] == str(owner.account.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["new", "known"])
def test_of_parallel_acceptances_one_joins(owner, invitation, their_invitation, known, who):
    chosen = invitation if who == "new" else their_invitation
    attempt = partial(accept_invitation, token_of(chosen), signed_in_as=None, password=PASSWORD)
    results = in_parallel([attempt] * 6)
    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert Membership.objects.filter(account=owner.account).count() == 2
    assert {type(result) for result in results if isinstance(result, Exception)} == {TokenInvalid}


def test_violation_of_another_constraint_is_not_reported_as_a_registered_address(invitation):
    with other_violation(Session), nothing_changes(), pytest.raises(IntegrityError, match="another constraint"):
        accept_invitation(token_of(invitation), signed_in_as=None, password=PASSWORD)


def test_member_who_accepts_an_older_invitation_gets_a_conflict(owner, outsider):
    invitation = make_invitation(owner, email=outsider.user.email)
    Membership.objects.create(user=outsider.user, account=owner.account, role="viewer")
    with nothing_changes():
        assert refusal_of(accept(invitation, outsider.client)) == (409, "conflict")
