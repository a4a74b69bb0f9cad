import pytest

from genvid.tests.asserts import data_of, nothing_changes, queries_once_warm, wrong_fields_of

pytestmark = pytest.mark.django_db
PROFILE = "/api/v1/profile"


def as_sent(moment):
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def test_the_profile_is_the_person_and_their_account(owner):
    assert data_of(owner.client.get(PROFILE)) == {
        "id": str(owner.user.pk),
        "email": "owner@example.com",
        "email_verified": False,
        "full_name": "Olive Owner",
        "company_name": "Olive Films",
        "preferred_language": "en",
        "email_notifications": True,
        "account": {"id": str(owner.account.pk), "name": "Olive Films", "role": "owner"},
        "created_at": as_sent(owner.user.created_at),
        "last_login_at": None,
    }


def test_a_teammate_sees_themselves_in_the_owners_account(owner, teammate):
    data = data_of(teammate.client.get(PROFILE))
    assert data["email"] == teammate.user.email
    assert data["account"] == {"id": str(owner.account.pk), "name": "Olive Films", "role": "member"}


def test_profile_shows_the_last_login(teammate):
    assert data_of(teammate.client.get(PROFILE))["last_login_at"] == as_sent(teammate.user.last_login)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("full_name", "Olive Other"),
        ("full_name", ""),
        ("company_name", "Other Films"),
        ("preferred_language", "pt-BR"),
        ("email_notifications", False),
    ],
)
def test_profile_change_changes_only_its_fields(owner, field, value):
    before = data_of(owner.client.get(PROFILE))
    after = data_of(owner.client.patch(PROFILE, {field: value}))
    assert (after, data_of(owner.client.get(PROFILE))) == (before | {field: value}, after)


def test_empty_profile_change_changes_nothing(owner):
    with nothing_changes():
        assert data_of(owner.client.patch(PROFILE, {}))["full_name"] == "Olive Owner"


@pytest.mark.parametrize("field", ["id", "email", "email_verified", "account", "created_at", "is_staff", "password"])
def test_read_only_profile_fields_are_refused(owner, field):
    with nothing_changes():
        assert wrong_fields_of(owner.client.patch(PROFILE, {field: "x"})) == [field]


def test_one_invalid_profile_field_refuses_the_whole_change(owner):
    with nothing_changes():
        response = owner.client.patch(PROFILE, {"full_name": "New", "preferred_language": "!"})
    assert wrong_fields_of(response) == ["preferred_language"]


def test_a_viewer_may_change_their_own_profile(viewer):
    assert data_of(viewer.client.patch(PROFILE, {"full_name": "Vera"}))["full_name"] == "Vera"


def test_profile_takes_two_queries(owner):
    assert queries_once_warm(lambda: owner.client.get(PROFILE)) == 2
