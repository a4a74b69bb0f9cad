"""Admin pages of exports and erasures."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.enums import ErasureStatus
from accounts.models import AuditEntry, Erasure, Export, Session, User
from accounts.privacy import erasures, exports
from genvid.tests.asserts import nothing_changes
from genvid.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
ADD = "admin:accounts_erasure_add"


@pytest.fixture
def superuser(db) -> User:
    return User.objects.create_superuser("staff@example.com", PASSWORD)


@pytest.fixture
def staff(superuser) -> Client:
    client = Client()
    client.force_login(superuser)
    return client


def test_staff_can_start_an_erasure(staff, superuser, owner):
    answer = staff.post(reverse(ADD), {"user": str(owner.user.pk)})
    erasure = Erasure.objects.get()
    assert (answer.status_code, erasure.user, erasure.requested_by) == (302, owner.user, superuser)
    assert (erasure.status, Session.objects.alive().filter(user=owner.user).count()) == (ErasureStatus.WAITING, 0)
    entry = AuditEntry.objects.get(act="profile.erasure_requested")
    assert (entry.account, entry.user, entry.detail["person"]) == (owner.account, superuser, str(owner.user.pk))


def test_starting_an_erasure_twice_starts_one(staff, owner):
    for _ in range(2):
        staff.post(reverse(ADD), {"user": str(owner.user.pk)})
    assert Erasure.objects.count() == 1


def test_admin_shows_why_a_person_cannot_be_erased(staff, owner, teammate):
    with nothing_changes():
        answer = staff.post(reverse(ADD), {"user": str(owner.user.pk)})
    assert b"transfer the ownership" in answer.content


@pytest.mark.parametrize("model", [Erasure, Export])
def test_erasures_cannot_be_changed_or_deleted_in_the_admin(staff, owner, model):
    row = (
        exports.request_export(owner.caller)
        if model is Export
        else erasures.start_erasure(owner.user.pk, by=owner.user.pk)
    )
    name = f"admin:accounts_{model._meta.model_name}"
    with nothing_changes():
        assert staff.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200
        assert staff.post(reverse(f"{name}_change", args=[row.pk]), {"status": "done"}).status_code == 403
        assert staff.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert staff.get(reverse(f"{name}_changelist")).context["cl"].result_count == 1


def test_exports_cannot_be_added_in_the_admin(staff, owner):
    assert staff.post(reverse("admin:accounts_export_add"), {"user": str(owner.user.pk)}).status_code == 403
