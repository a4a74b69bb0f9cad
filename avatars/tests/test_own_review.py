"""Staff look at own avatars and voices before they are made: queue, decisions, permissions, alarms."""

from dataclasses import replace

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from avatars.enums import CreationKind, EntryStatus
from avatars.models import Creation
from avatars.own import review, work
from avatars.own.orders import Consent
from avatars.tests.own_entries import fresh, order
from billing.models import Tier
from genvid import staff_home
from genvid.errors import InvalidState
from genvid.tests.asserts import data_of, queries_of
from genvid.tests.employees import employee
from genvid.tests.factories import make_caller, make_endpoint
from videos.models import OperatorAlarm
from videos.tests.pipeline import Money, money_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:avatars_creation_changelist")
OTHER = {"consent": Consent(is_me=False, subject_name="Grace"), "stored": False}


@pytest.fixture
def owner():
    return make_caller(email="owner@example.com", balance=200)


@pytest.fixture
def staff():
    return employee("view_creation", "change_creation", "view_avatar")


@pytest.fixture
def creation(owner):
    return order(owner, **OTHER)


def page(creation, action: str = "") -> str:
    name = f"admin:avatars_creation_{action}_creation" if action else "admin:avatars_creation_change"
    return reverse(name, args=[creation.pk])


def confirm(client, creation, action: str, **given):
    return client.post(page(creation, action), {"confirmed": "yes", **given})


@pytest.mark.parametrize(
    ("policy", "is_me", "status"),
    [
        ("none", False, "queued"),
        ("others", True, "queued"),
        ("others", False, "review"),
        ("all", True, "review"),
    ],
)
def test_the_operator_says_what_is_reviewed(owner, settings, policy, is_me, status):
    settings.OWN_AVATAR_REVIEW = policy
    made = order(owner, consent=Consent(is_me=is_me, subject_name="Grace"), stored=False)
    assert (made.status, made.avatar.status) == (status, status)
    assert (made.due_at is None) == (status == "review")


def test_what_a_test_key_orders_is_never_reviewed(owner, settings):
    settings.OWN_AVATAR_REVIEW, settings.TEST_RENDERER_URL = "all", "http://127.0.0.1:9"
    made = order(owner, caller=replace(owner.caller, is_test=True), stored=False)
    assert (made.status, made.avatar.status) == ("queued", "queued")


def test_an_approved_one_is_queued_and_recorded(staff, creation, woken):
    confirm(staff, creation, "approve")
    assert fresh(creation).status == EntryStatus.QUEUED
    entry = AuditEntry.objects.get(act="staff.own_avatar_approved")
    assert (entry.by_staff, entry.account_id) == (True, creation.account_id)


def test_a_refusal_reaches_the_customer_with_its_reason_and_the_credits(owner, staff, creation):
    endpoint = make_endpoint(owner)
    confirm(staff, creation, "refuse", reason="This is a film star.")
    shown = data_of(owner.client.get(f"/api/v1/avatars/{creation.entry_id}"))
    assert (shown["status"], shown["error"]) == ("refused", {"code": "refused", "message": "This is a film star."})
    assert [each.event.type for each in endpoint.deliveries.all()] == ["avatar.failed"]
    assert "This is a film star." in endpoint.deliveries.get().event.body
    assert money_of(owner) == Money(200)


def test_a_refusal_needs_a_reason(staff, creation):
    assert confirm(staff, creation, "refuse", reason=" ").status_code == 200
    assert fresh(creation).status == EntryStatus.REVIEW


def test_nothing_happens_without_a_confirmation(staff, creation):
    assert staff.get(page(creation, "approve")).status_code == 200
    assert fresh(creation).status == EntryStatus.REVIEW


@pytest.mark.parametrize("action", ["approve", "refuse"])
def test_who_may_only_look_cannot_decide(creation, action):
    viewer = employee("view_creation")
    assert confirm(viewer, creation, action, reason="No.").status_code == 403
    assert fresh(creation).status == EntryStatus.REVIEW


def test_a_second_decision_is_refused(staff, creation, owner):
    stale = Creation.objects.get(pk=creation.pk)
    confirm(staff, creation, "approve")
    with pytest.raises(InvalidState):
        review.refuse(stale, reason="Too late.", staff_id=owner.user.pk)
    assert fresh(creation).status == EntryStatus.QUEUED


def test_the_list_needs_as_many_queries_for_three_as_for_one(staff, owner):
    Tier.objects.update(own_avatars=9, own_voices=9)
    order(owner, **OTHER)
    staff.get(LIST)
    for_one = queries_of(lambda: staff.get(LIST))
    for kind in CreationKind:
        order(owner, kind, **OTHER)
    assert queries_of(lambda: staff.get(LIST)) == for_one


@pytest.mark.django_db(transaction=True)
def test_staff_see_the_picture_in_a_sandbox_and_nobody_else_does(owner, staff):
    creation = order(owner, consent=Consent(is_me=False, subject_name="Grace"))
    address = reverse("admin:avatars_creation_file", args=[creation.pk])
    assert address in staff.get(page(creation)).content.decode()
    shown = staff.get(address)
    with creation.upload.file.open("rb") as file:
        assert b"".join(shown.streaming_content) == file.read()
    assert shown["Content-Security-Policy"].startswith("sandbox")
    assert shown["Content-Type"] == "image/png"
    assert employee("view_avatar").get(address).status_code == 404
    assert owner.client.get(address).status_code == 302


def test_the_home_page_counts_what_waits_for_a_review(creation):
    work_of_staff = {each.name: each for each in staff_home._work.values()}["own_avatars_in_review"]
    assert work_of_staff.rows() == 1
    assert work_of_staff.link().endswith("?status__exact=review")


def test_a_review_that_waits_too_long_alarms_staff(creation):
    Creation.objects.update(moved_at="2020-01-01T00:00:00Z")
    work.sweep_creations()
    work.sweep_creations()
    assert OperatorAlarm.objects.get(code="avatar_review_late").count == 1


def test_a_review_that_has_just_begun_alarms_nobody(creation):
    work.sweep_creations()
    assert not OperatorAlarm.objects.exists()


def test_a_review_that_nobody_makes_ends_at_its_deadline(owner, creation):
    Creation.objects.update(deadline_at="2020-01-01T00:00:00Z")
    work.sweep_creations()
    assert (fresh(creation).status, fresh(creation).error_code) == ("failed", "not_reviewed")
    assert money_of(owner) == Money(200)


def test_staff_cannot_release_what_a_customer_made(staff, creation):
    boss = employee("view_avatar", "change_avatar")
    boss.post(
        reverse("admin:avatars_avatar_release_entry", args=[creation.avatar_id]),
        {"confirmed": "yes", "audience": "all"},
    )
    creation.avatar.refresh_from_db()
    assert creation.avatar.account_id == creation.account_id
