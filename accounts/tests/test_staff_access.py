"""Only superusers see and change staff permissions; changes are audited and mailed."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.auth.sign_in import register
from accounts.models import AuditEntry, User
from billing.models import Wallet
from genvid.tests.asserts import nothing_changes
from genvid.tests.factories import PASSWORD, make_caller

pytestmark = pytest.mark.django_db
ACCESS = ("is_staff", "is_superuser", "groups", "user_permissions", "email_verified_at")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def superuser(db) -> User:
    return User.objects.create_superuser("boss@example.com", PASSWORD)


@pytest.fixture
def other_superuser(db) -> User:
    return User.objects.create_superuser("other-boss@example.com", PASSWORD)


@pytest.fixture
def support(db) -> User:
    """Staff with every permission, but no superuser."""
    user = User.objects.create_user("support@example.com", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    return user


def page_of(row: User | Group) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def form_of(user: User, **changes: object) -> dict[str, object]:
    given = {"full_name": user.full_name, "company_name": user.company_name, "preferred_language": "en"}
    given |= {"email_notifications": "on", "is_active": "on", "email_verified_at_0": "", "email_verified_at_1": ""}
    return {**given, "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0, **changes}


ESCALATION = {
    "is_staff": "on",
    "is_superuser": "on",
    "groups": ["1"],
    "email_verified_at_0": "2026-01-01",
    "email_verified_at_1": "00:00:00",
}


def test_support_sees_no_permission_fields(support):
    customer = make_caller().user
    client = client_of(support)
    form = client.get(page_of(customer)).context["adminform"].form
    listed = client.get(reverse("admin:accounts_user_changelist")).context["cl"].list_display
    assert [name for name in ACCESS if name in form.fields or name in listed] == []


def test_support_cannot_set_permission_fields(support):
    customer = make_caller().user
    Group.objects.create(pk=1, name="Everything")
    permission = Permission.objects.first()
    body = form_of(customer, full_name="New", user_permissions=[str(permission.pk)], **ESCALATION)
    assert client_of(support).post(page_of(customer), body).status_code == 302
    customer.refresh_from_db()
    assert (customer.full_name, customer.is_staff, customer.is_superuser, customer.email_verified_at) == (
        *("New", False),
        *(False, None),
    )
    assert (customer.groups.count(), customer.user_permissions.count()) == (0, 0)


@pytest.mark.parametrize("who", ["themselves", "other staff", "a superuser"])
def test_support_cannot_edit_staff(support, superuser, who):
    colleague = User.objects.create_user("colleague@example.com", PASSWORD, is_staff=True)
    target = {"themselves": support, "other staff": colleague, "a superuser": superuser}[who]
    client = client_of(support)
    with nothing_changes():
        assert client.post(page_of(target), form_of(target, **ESCALATION)).status_code == 403


@pytest.mark.parametrize("lookup", ["is_superuser__exact=1", "groups__name=Support", "email_verified_at__isnull=1"])
def test_support_cannot_filter_by_permission_fields(support, superuser, lookup):
    response = client_of(support).get(reverse("admin:accounts_user_changelist") + f"?{lookup}")
    assert response.status_code in (302, 400)


def test_support_cannot_see_or_change_groups(support):
    group = Group.objects.create(name="Support")
    client = client_of(support)
    with nothing_changes():
        answers = [
            client.get(reverse("admin:auth_group_changelist")),
            client.get(page_of(group)),
            client.post(page_of(group), {"name": "Support", "permissions": ["1"]}),
            client.post(reverse("admin:auth_group_add"), {"name": "Mine", "permissions": ["1"]}),
            client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"}),
        ]
    assert [answer.status_code for answer in answers] == [403] * 5


def test_superuser_makes_a_user_staff_and_other_superusers_get_a_mail(superuser, other_superuser, work_at_once):
    User.objects.create_superuser("gone@example.com", PASSWORD, is_active=False)
    customer = make_caller().user
    mail.outbox.clear()
    with work_at_once():
        client_of(superuser).post(page_of(customer), form_of(customer, is_staff="on"))
    customer.refresh_from_db()
    entry = AuditEntry.objects.get(act="staff.access_changed")
    assert (customer.is_staff, entry.by_staff, entry.user, entry.detail["id"], entry.detail["is_staff"]) == (
        *(True, True),
        *(superuser, str(customer.pk), "True"),
    )
    mails = [message for message in mail.outbox if "Access of staff" in message.subject]
    assert [message.to for message in mails] == [["other-boss@example.com"]]
    assert "boss@example.com" in mails[0].body and customer.email in mails[0].body and "is_staff: True" in mails[0].body


def test_address_verified_by_a_superuser_gets_welcome_credits_once(superuser, settings):
    settings.REQUIRE_VERIFIED_EMAIL = True
    customer = register(email="ada@example.com", password=PASSWORD).user
    wallet = Wallet.objects.get(account__members=customer)
    assert wallet.balance == 0
    proof = {"email_verified_at_0": "2026-01-01", "email_verified_at_1": "00:00:00"}

    for full_name in ("Ada", "Ada L."):
        client_of(superuser).post(page_of(customer), form_of(customer, full_name=full_name, **proof))

    wallet.refresh_from_db()
    assert wallet.balance == settings.SIGNUP_CREDITS


def test_permissions_given_by_a_superuser_are_audited(superuser):
    customer = make_caller().user
    permission = Permission.objects.get(codename="change_video")
    client_of(superuser).post(page_of(customer), form_of(customer, user_permissions=[str(permission.pk)]))
    entry = AuditEntry.objects.get(act="staff.access_changed")
    assert entry.detail["user_permissions"] == str(permission)


def test_permission_added_to_a_group_is_audited_and_mailed(superuser, other_superuser, work_at_once):
    group, permission = Group.objects.create(name="Support"), Permission.objects.get(codename="change_video")
    with work_at_once():
        client_of(superuser).post(page_of(group), {"name": "Support", "permissions": [str(permission.pk)]})
    entry = AuditEntry.objects.get(act="staff.access_changed")
    assert (entry.detail["kind"], entry.detail["permissions"]) == ("group", str(permission))
    assert [message.to for message in mail.outbox if "Access of staff" in message.subject] == [
        ["other-boss@example.com"]
    ]


def test_deletion_of_a_group_is_audited(superuser):
    group = Group.objects.create(name="Support")
    client_of(superuser).post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    assert AuditEntry.objects.get(act="staff.access_changed").detail["name"] == "gone"


def test_change_without_permissions_is_not_audited_as_a_permission_change(superuser):
    customer = make_caller().user
    client_of(superuser).post(page_of(customer), form_of(customer, full_name="New"))
    assert list(AuditEntry.objects.filter(by_staff=True).values_list("act", flat=True)) == ["staff.record_changed"]


def test_customer_deactivated_by_support_is_audited(support):
    customer = make_caller().user
    body = form_of(customer)
    del body["is_active"]
    client_of(support).post(page_of(customer), body)
    customer.refresh_from_db()
    entry = AuditEntry.objects.get(act="staff.record_changed")
    assert (customer.is_active, entry.user, entry.detail["id"], entry.detail["fields"]) == (
        *(False, support),
        *(str(customer.pk), "Is active"),
    )
