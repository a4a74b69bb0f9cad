"""Invitations: creation, limits, resending, revocation."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from accounts.enums import Role
from accounts.models import Invitation
from accounts.privacy.retention import delete_invitations
from accounts.teams.invitations import token_of
from accounts.tests.teams import later
from genvid.tests.asserts import data_of, nothing_changes, queries_of, queries_once_warm, refusal_of, wrong_fields_of
from genvid.tests.factories import PASSWORD, JsonClient, make_invitation, make_teammate, sign_in

pytestmark = pytest.mark.django_db
INVITATIONS, ACCEPT = "/api/v1/team/invitations", "/api/v1/auth/invitations/accept"
NEW = "new@example.com"


@pytest.fixture
def invitation(owner):
    return make_invitation(owner, email=NEW)


def accept(invitation, client=None, **body):
    return (client or JsonClient()).post(ACCEPT, {"token": token_of(invitation)} | body)


# ── Creation


def test_invitation_shows_address_role_and_expiry(owner):
    made = data_of(owner.client.post(INVITATIONS, {"email": " New@Example.com ", "role": "viewer"}), 201)
    assert set(made) == {"id", "email", "role", "invited_by", "sent_at", "expires_at", "created_at"}
    assert (made["email"], made["role"], made["invited_by"]) == (NEW, "viewer", str(owner.user.pk))
    row = Invitation.objects.get()
    assert row.expires_at - row.sent_at == timedelta(days=7)
    assert data_of(owner.client.get(INVITATIONS)) == [made]


def test_response_is_equal_for_registered_and_unknown_addresses(owner, outsider):
    payloads = [{"email": email, "role": "member"} for email in ("nobody@example.com", outsider.user.email)]
    one, other = (data_of(owner.client.post(INVITATIONS, payload), 201) for payload in payloads)
    ours = {"id", "email", "sent_at", "expires_at", "created_at"}
    assert {name: one[name] for name in one.keys() - ours} == {name: other[name] for name in other.keys() - ours}


def test_invitation_takes_equal_queries_for_registered_and_unknown_addresses(owner, outsider):
    owner.client.post(INVITATIONS, {"email": "first@example.com", "role": "member"})
    unknown, known = (
        queries_of(partial(owner.client.post, INVITATIONS, {"email": email, "role": "member"}))
        for email in ("nobody@example.com", outsider.user.email)
    )
    assert (unknown, Invitation.objects.count()) == (known, 3)


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_admin_can_invite_up_to_admins(admin, role):
    assert data_of(admin.client.post(INVITATIONS, {"email": NEW, "role": role}), 201)["role"] == role


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"role": "owner"}, "role"),
        ({"role": None}, "role"),
        ({"email": "nonsense"}, "email"),
        ({"email": 5}, "email"),
        ({"email": "owner@example.com"}, "email"),
        ({"email": "OWNER@example.com"}, "email"),
        ({"account_id": "mine"}, "account_id"),
    ],
    ids=str,
)
def test_invalid_invitation_field_is_named(owner, change, field):
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(INVITATIONS, {"email": NEW, "role": "member"} | change)) == [field]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_members_and_viewers_cannot_see_or_create_invitations(owner, invitation, role):
    person = make_teammate(owner, role)
    with nothing_changes():
        assert refusal_of(person.client.get(INVITATIONS)) == (403, "permission_denied")
        assert refusal_of(person.client.post(INVITATIONS, {"email": "x@y.de", "role": "viewer"})) == (
            403,
            "permission_denied",
        )
        assert refusal_of(person.client.delete(f"{INVITATIONS}/{invitation.pk}")) == (403, "permission_denied")


def test_address_has_one_open_invitation(owner, invitation):
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(INVITATIONS, {"email": NEW, "role": "viewer"})) == ["email"]


def test_expired_invitation_can_be_replaced(owner, invitation):
    Invitation.objects.update(expires_at=timezone.now())
    again = data_of(owner.client.post(INVITATIONS, {"email": NEW, "role": "viewer"}), 201)
    assert [str(pk) for pk in Invitation.objects.values_list("pk", flat=True)] == [again["id"]]


def test_number_of_open_invitations_is_limited(owner, invitation, monkeypatch):
    monkeypatch.setattr("accounts.teams.invitations.MAX_PENDING_INVITATIONS", 1)
    with nothing_changes():
        assert refusal_of(owner.client.post(INVITATIONS, {"email": "x@y.de", "role": "viewer"})) == (409, "conflict")


def test_revoking_invitations_does_not_extend_the_mail_limit(owner, invitation, monkeypatch):
    monkeypatch.setattr("accounts.teams.invitations.MAX_MAILS_PER_DAY", 1)
    owner.client.delete(f"{INVITATIONS}/{invitation.pk}")
    with nothing_changes():
        assert refusal_of(owner.client.post(INVITATIONS, {"email": NEW, "role": "viewer"})) == (429, "rate_limited")


def test_unverified_user_cannot_invite(owner, settings):
    settings.REQUIRE_VERIFIED_EMAIL = True
    with nothing_changes():
        answer = owner.client.post(INVITATIONS, {"email": NEW, "role": "viewer"})
    assert refusal_of(answer) == (403, "email_not_verified")


def test_repeated_idempotency_key_invites_once(owner):
    payload = {"email": NEW, "role": "member"}
    first, again = (
        data_of(owner.client.post(INVITATIONS, payload, HTTP_IDEMPOTENCY_KEY="once"), 201) for _ in range(2)
    )
    assert (first, Invitation.objects.count()) == (again, 1)


def test_invitation_list_query_count_does_not_depend_on_its_length(owner, invitation):
    few = queries_once_warm(lambda: owner.client.get(INVITATIONS))
    for _ in range(3):
        make_invitation(owner)
    assert queries_once_warm(lambda: owner.client.get(INVITATIONS)) == few


def test_invitations_of_another_account_are_not_found(outsider, invitation):
    with nothing_changes():
        assert data_of(outsider.client.get(INVITATIONS)) == []
        assert refusal_of(outsider.client.delete(f"{INVITATIONS}/{invitation.pk}")) == (404, "not_found")
        assert refusal_of(outsider.client.post(f"{INVITATIONS}/{invitation.pk}/resend")) == (404, "not_found")


# ── Resending and revocation


def test_resent_invitation_is_valid_for_seven_more_days(owner, invitation):
    with later(days=6):
        today = sign_in(owner.user.email).client
        data_of(today.post(f"{INVITATIONS}/{invitation.pk}/resend"), 202)
    with later(days=12):
        assert accept(invitation, password=PASSWORD).status_code == 200


def test_invitation_resent_within_a_minute_is_refused(owner, invitation):
    with nothing_changes():
        answer = owner.client.post(f"{INVITATIONS}/{invitation.pk}/resend")
    assert refusal_of(answer) == (429, "rate_limited")
    assert 1 <= int(answer["Retry-After"]) <= 60


def test_revoked_invitation_is_gone(owner, invitation):
    answer = owner.client.delete(f"{INVITATIONS}/{invitation.pk}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert data_of(owner.client.get(INVITATIONS)) == []
    with nothing_changes():
        assert refusal_of(accept(invitation, password=PASSWORD)) == (401, "token_invalid")
        assert refusal_of(owner.client.delete(f"{INVITATIONS}/{invitation.pk}")) == (404, "not_found")


def test_invitations_are_audited(owner, invitation):
    owner.client.delete(f"{INVITATIONS}/{invitation.pk}")
    log = data_of(owner.client.get("/api/v1/audit-log"))[:2]
    data = {"email": NEW, "role": "member"}
    assert [(each["act"], each["detail"]) for each in log] == [("invitation.revoked", data), ("invitation.sent", data)]


def test_expired_invitations_are_deleted(owner, invitation):
    with later(days=7, seconds=1):
        delete_invitations()
    assert Invitation.objects.count() == 0
