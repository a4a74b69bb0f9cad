"""Accepting an invitation: once, in time, by the person of the address alone."""

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
from accounts.tests.test_register import another_violation
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


def accepting(invitation, client=None, **body):
    return (client or JsonClient()).post(ACCEPT, {"token": token_of(invitation)} | body)


# ── Accepting it as somebody new


def test_somebody_new_joins_with_a_password_of_their_own(owner, invitation):
    data = data_of(accepting(invitation, password=PASSWORD, full_name="Nora New"))
    assert data["account"] == {"id": str(owner.account.pk), "name": "Olive Films", "role": "member"}
    user = {name: data["user"][name] for name in ("email", "email_verified", "full_name")}
    assert user == {"email": NEW, "email_verified": True, "full_name": "Nora New"}
    assert data_of(JsonClient(data["access_token"]).get("/api/v1/videos")) == []


def test_they_have_no_account_and_no_credits_of_their_own(owner, invitation):
    data_of(accepting(invitation, password=PASSWORD))
    assert (Account.objects.count(), LedgerEntry.objects.count()) == (1, 1)


def test_they_sign_in_with_that_password(owner, invitation):
    data_of(accepting(invitation, password=PASSWORD))
    answer = JsonClient().post("/api/v1/auth/login", {"email": NEW, "password": PASSWORD})
    assert data_of(answer)["account"]["id"] == str(owner.account.pk)


@pytest.mark.parametrize("password", [None, "short", "password", "12345678901"], ids=str)
def test_their_password_has_to_be_a_good_one(invitation, password):
    with nothing_changes():
        assert wrong_fields_of(accepting(invitation, **({"password": password} if password else {}))) == ["password"]


def test_joining_is_written_down(owner, invitation):
    user_id = data_of(accepting(invitation, password=PASSWORD))["user"]["id"]
    joined = AuditEntry.objects.get(act=AuditAct.MEMBER_JOINED)
    assert (joined.account, str(joined.user_id), joined.detail) == (
        owner.account,
        user_id,
        {"role": "member", "invited_by": str(owner.user.pk)},
    )


# ── Accepting it as somebody known


@pytest.fixture
def known(owner):
    return make_caller(email="known@example.com", full_name="Kim Known")


@pytest.fixture
def theirs(owner, known):
    return make_invitation(owner, email=known.user.email)


def test_somebody_known_joins_with_their_access_token(owner, known, theirs):
    data = data_of(accepting(theirs, known.client))
    assert (data["account"]["id"], data["user"]["id"]) == (str(owner.account.pk), str(known.user.pk))
    assert Membership.objects.filter(user=known.user).count() == 2


def test_or_with_their_password(owner, known, theirs):
    data = data_of(accepting(theirs, password=PASSWORD, full_name="Somebody Else"))
    assert (data["account"]["id"], data["user"]["full_name"]) == (str(owner.account.pk), "Kim Known")


def test_the_mail_proves_their_address(known, theirs):
    assert data_of(accepting(theirs, known.client))["user"]["email_verified"] is True


def test_the_present_session_stays_in_its_own_account(known, theirs):
    data_of(accepting(theirs, known.client))
    assert data_of(known.client.get("/api/v1/profile"))["account"]["id"] == str(known.account.pk)


def test_a_wrong_password_is_refused(theirs):
    with nothing_changes(but=AuditEntry):
        assert refusal_of(accepting(theirs, password="wrong")) == (401, "invalid_credentials")


def test_guessing_their_password_is_slowed_down_like_a_sign_in(theirs):
    answers = [refusal_of(accepting(theirs, password=f"wrong {number}")) for number in range(6)]
    assert answers == [(401, "invalid_credentials")] * 5 + [(429, "rate_limited")]


def test_a_second_factor_is_asked_for_here_too(known, theirs):
    totp.enroll_by_operator(known.user)
    with nothing_changes():
        assert refusal_of(accepting(theirs, password=PASSWORD)) == (401, "totp_required")


def test_without_any_proof_they_are_asked_for_one(theirs):
    with nothing_changes():
        assert refusal_of(accepting(theirs)) == (401, "not_authenticated")


def test_somebody_else_cannot_accept_it(outsider, theirs):
    with nothing_changes():
        assert refusal_of(accepting(theirs, outsider.client)) == (403, "permission_denied")


def test_a_stale_access_token_is_refused(theirs):
    with nothing_changes():
        assert refusal_of(accepting(theirs, JsonClient("stale"))) == (401, "not_authenticated")


def test_somebody_switched_off_does_not_come_back_this_way(known, theirs):
    User.objects.filter(pk=known.user.pk).update(is_active=False)
    with nothing_changes(but=AuditEntry):
        assert refusal_of(accepting(theirs, password=PASSWORD)) == (401, "invalid_credentials")


# ── What is no good


def test_it_is_accepted_once(known, theirs):
    data_of(accepting(theirs, known.client))
    with nothing_changes():
        assert refusal_of(accepting(theirs, known.client)) == (401, "token_invalid")


def test_after_seven_days_it_is_too_late(invitation):
    with later(days=7, seconds=1), nothing_changes():
        assert refusal_of(accepting(invitation, password=PASSWORD)) == (401, "token_invalid")


def test_until_then_it_is_good(invitation):
    with later(days=6, hours=23):
        assert accepting(invitation, password=PASSWORD).status_code == 200


FORGED = {
    "nonsense": "x",
    "three_parts": "a:b:c",
    "not_ascii": "é",
    "other_purpose": signing.dumps({"invitation": "00000000-0000-0000-0000-000000000000"}, salt="something else"),
    "nobody": signing.dumps({"invitation": "00000000-0000-0000-0000-000000000000"}, salt=SALT),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_one_is_refused(invitation, token):
    with nothing_changes():
        answer = JsonClient().post(ACCEPT, {"token": token, "password": PASSWORD})
    assert refusal_of(answer) == (401, "token_invalid")


def test_an_inviter_who_is_gone_has_invited_all_the_same(owner, admin):
    invitation = make_invitation(admin, email=NEW)
    owner.client.delete(f"/api/v1/team/members/{admin.user.pk}")
    assert data_of(accepting(invitation, password=PASSWORD))["account"]["id"] == str(owner.account.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["new", "known"])
def test_of_many_who_accept_at_once_one_joins(owner, invitation, theirs, known, who):
    chosen = invitation if who == "new" else theirs
    deed = partial(accept_invitation, token_of(chosen), signed_in_as=None, password=PASSWORD)
    results = in_parallel([deed] * 6)
    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert Membership.objects.filter(account=owner.account).count() == 2
    assert {type(result) for result in results if isinstance(result, Exception)} == {TokenInvalid}


def test_a_violation_of_another_constraint_is_not_told_as_a_registered_address(invitation):
    with another_violation(Session), nothing_changes(), pytest.raises(IntegrityError, match="another constraint"):
        accept_invitation(token_of(invitation), signed_in_as=None, password=PASSWORD)


def test_a_member_who_accepts_an_older_invitation_is_told_so(owner, outsider):
    invitation = make_invitation(owner, email=outsider.user.email)
    Membership.objects.create(user=outsider.user, account=owner.account, role="viewer")
    with nothing_changes():
        assert refusal_of(accepting(invitation, outsider.client)) == (409, "conflict")
