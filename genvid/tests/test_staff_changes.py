"""Every change by staff is an entry of the audit log, and one page lists them."""

import pytest
from django.core.management import call_command
from django.forms import model_to_dict
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, StaffAct, User
from billing import credits
from billing.models import Tier
from genvid.tests.asserts import data_of
from genvid.tests.factories import PASSWORD, make_avatar, make_video
from videos.models import ProviderState
from videos.provider import provider_gate

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(db) -> User:
    return User.objects.create_superuser("boss@example.com", PASSWORD)


@pytest.fixture
def staff(boss) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def acts() -> list[str]:
    return list(AuditEntry.objects.filter(by_staff=True).order_by("created_at").values_list("act", flat=True))


def act_on_video(staff: Client, video, action: str, **form: object) -> None:
    url = reverse(f"admin:videos_video_run_{action}", args=[video.pk])
    assert staff.post(url, {"confirmed": "yes", **form}).status_code == 302


@pytest.mark.parametrize(
    ("action", "status", "form"),
    [
        ("cancel", "queued", {"charge": 0}),
        ("settle_failed", "queued", {"message": "Sorry."}),
        ("refund", "completed", {"credits": 1, "why": "Sorry."}),
    ],
)
def test_staff_actions_on_a_video_are_audited(staff, boss, owner, action, status, form):
    video = make_video(owner, status)
    act_on_video(staff, video, action, **form)
    entry = AuditEntry.objects.get(act="staff.video_action")
    assert (entry.user, entry.account_id, entry.by_staff) == (boss, owner.account.pk, True)
    assert (entry.detail["action"], entry.detail["video"]) == (action, str(video.pk))


def test_a_refused_staff_action_is_not_audited(staff, owner):
    act_on_video(staff, make_video(owner, "completed"), "cancel", charge=0)
    assert acts() == []


@pytest.mark.parametrize(
    ("page", "act"), [("pause_provider", "staff.orders_paused"), ("resume_provider", "staff.orders_resumed")]
)
def test_pausing_and_resuming_orders_is_audited(staff, boss, page, act):
    ProviderState.objects.create(name=provider_gate.NAME)
    staff.post(reverse(f"admin:videos_providerstate_{page}"), {"confirmed": "yes"})
    assert AuditEntry.objects.get(act=act).user == boss


def test_opening_the_gate_is_audited(staff, boss):
    ProviderState.objects.create(name=provider_gate.NAME, code="busy")
    body = {"action": "open_gate", "_selected_action": [provider_gate.NAME]}
    staff.post(reverse("admin:videos_providerstate_changelist"), body)
    assert AuditEntry.objects.get(act="staff.gate_opened").user == boss


@pytest.mark.parametrize(
    ("command", "act"), [("pause_provider", "staff.orders_paused"), ("resume_provider", "staff.orders_resumed")]
)
def test_an_operators_command_is_audited_by_the_name_they_give(command, act):
    call_command(command, by="sam", verbosity=0)
    entry = AuditEntry.objects.get(act=act)
    assert (entry.by_staff, entry.user, entry.detail["by"]) == (True, None, "sam")


def test_credits_that_staff_give_are_audited_as_theirs(boss, owner):
    credits.adjust(owner.account.pk, 5, reference="ticket:1", description="Sorry.", staff_id=boss.pk)
    assert AuditEntry.objects.get(act="credits.adjusted").by_staff is True


def test_a_form_of_the_admin_is_audited_with_the_names_of_its_fields(staff, boss):
    tier = Tier.objects.order_by("pk").first()
    given = {name: "" if value is None else value for name, value in model_to_dict(tier).items()}
    staff.post(reverse("admin:billing_tier_change", args=[tier.pk]), given | {"name": "New name"})
    entry = AuditEntry.objects.get(act="staff.record_changed")
    assert (entry.user, entry.detail["kind"], entry.detail["id"]) == (boss, "billing.Tier", str(tier.pk))
    assert "Name" in entry.detail["fields"]


def test_a_change_in_a_list_of_the_admin_is_audited(staff):
    avatar = make_avatar(default_voice=None)
    body = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": str(avatar.pk), "form-0-is_hidden": "on"}
    staff.post(reverse("admin:avatars_avatar_changelist"), body | {"_save": "Save"})
    avatar.refresh_from_db()
    entry = AuditEntry.objects.get(act="staff.record_changed")
    assert (avatar.is_hidden, entry.detail["id"]) == (True, str(avatar.pk))


def test_one_page_lists_the_actions_of_staff_and_nothing_else(staff, owner):
    provider_gate.pause("sam")
    assert AuditEntry.objects.filter(by_staff=False).exists()
    page = staff.get(reverse("admin:accounts_staffact_changelist"))
    assert [row.act for row in page.context["cl"].result_list] == ["staff.orders_paused"]
    act = StaffAct.objects.get(by_staff=True)
    assert staff.get(reverse("admin:accounts_staffact_change", args=[act.pk])).status_code == 200


def test_owners_see_what_staff_did_to_their_account_but_not_from_where(boss, owner, staff):
    act_on_video(staff, make_video(owner), "cancel", charge=0)
    (entry,) = [row for row in data_of(owner.client.get("/api/v1/audit-log")) if row["act"] == "staff.video_action"]
    assert (entry["by_staff"], entry["address"], entry["user_agent"]) == (True, None, "")
