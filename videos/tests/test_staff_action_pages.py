"""Admin pages of the staff actions: permissions, confirmation, and the history they leave."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from genvid.tests.asserts import nothing_changes
from genvid.tests.factories import PASSWORD, make_video
from videos.admin.staff_action_pages import STAFF_ACTIONS
from videos.staff.action_forms import MAX_AT_ONCE
from videos.tests.doubles import tiny_mp4
from videos.tests.pipeline import UNTOUCHED, Money, fresh, gate, money_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:videos_video_changelist")
YES = {"confirmed": "yes"}


def page(video, name: str) -> str:
    return reverse(f"admin:videos_video_run_{name}", args=[video.pk])


def employee(*permissions: str) -> Client:
    """A staff user with these permissions on videos and the gate."""
    user = User.objects.create_user(f"{'-'.join(permissions)}@example.com", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator() -> Client:
    return employee("view_video", "change_video", "view_providerstate")


@pytest.fixture
def viewer_staff() -> Client:
    return employee("view_video", "view_providerstate")


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def notes(video) -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.filter(object_id=str(video.pk))]


@pytest.mark.parametrize("name", [staff_action.name for staff_action in STAFF_ACTIONS])
def test_a_staff_action_asks_before_it_runs(operator, owner, name):
    video = make_video(owner, "rendering")
    with nothing_changes():
        answers = [operator.get(page(video, name)), operator.post(page(video, name), {"why": "x", "message": "x"})]
    assert [(answer.status_code, b"confirmed" in answer.content) for answer in answers] == [(200, True)] * 2


@pytest.mark.parametrize("name", [staff_action.name for staff_action in STAFF_ACTIONS])
def test_a_staff_action_on_a_video_that_is_not_there_is_not_found(operator, name):
    path = reverse(f"admin:videos_video_run_{name}", args=["nothing"])
    assert [operator.get(path).status_code, operator.post(path, YES).status_code] == [404, 404]


@pytest.mark.parametrize("name", [staff_action.name for staff_action in STAFF_ACTIONS])
def test_staff_with_view_permission_run_no_staff_action(viewer_staff, owner, name):
    video = make_video(owner, "rendering")
    with nothing_changes():
        answers = [viewer_staff.get(page(video, name)), viewer_staff.post(page(video, name), YES)]
    assert [answer.status_code for answer in answers] == [403, 403]


def test_a_staff_action_is_offered_to_operators_alone(operator, viewer_staff, owner):
    address = reverse("admin:videos_video_change", args=[make_video(owner).pk])
    assert [b"Settle as failed" in who.get(address).content for who in (operator, viewer_staff)] == [True, False]


def test_the_page_says_that_a_render_under_way_is_billed(operator, owner):
    text = operator.get(page(make_video(owner, "rendering"), "cancel")).content.decode()
    assert "goes on there and is billed to us" in text


def test_a_cancellation_by_staff_names_them_in_the_history(operator, owner):
    video = make_video(owner, "rendering")
    response = operator.post(page(video, "cancel"), {**YES, "charge": "2"}, follow=True)
    assert (fresh(video).status, money_of(owner)) == ("canceled", Money(balance=28, charges=1))
    assert (messages_of(response), notes(video)) == (["Cancel: done for 1."], ["Cancel. charge: 2"])
    assert video.events.first().detail == "by view_video-change_video-view_providerstate@example.com, 2 credits kept"


def test_a_refused_staff_action_shows_its_error_and_leaves_no_note(operator, owner):
    video = make_video(owner, "completed")
    with nothing_changes():
        response = operator.post(page(video, "cancel"), {**YES, "charge": "0"}, follow=True)
    assert notes(video) == []
    assert ["Only a video that is being made" in line for line in messages_of(response)] == [True]


def test_an_incomplete_staff_action_form_is_shown_again(operator, owner):
    video = make_video(owner, "rendering")
    with nothing_changes():
        response = operator.post(page(video, "settle_failed"), YES)
    assert (response.status_code, response.context["form"].errors) == (200, {"message": ["This field is required."]})


def test_a_file_uploaded_by_staff_completes_a_video(operator, owner):
    video = make_video(owner, "rendering")
    operator.post(page(video, "settle_completed"), {**YES, "file": SimpleUploadedFile("a.mp4", tiny_mp4(3))})
    assert (fresh(video).status, fresh(video).credits_charged) == ("completed", 3)


def test_a_broken_upload_by_staff_shows_its_error(operator, owner):
    video = make_video(owner, "rendering")
    payload = {**YES, "file": SimpleUploadedFile("a.mp4", b"no film")}
    with nothing_changes():
        response = operator.post(page(video, "settle_completed"), payload, follow=True)
    assert ["Is not a whole MP4" in line for line in messages_of(response)] == [True]


def test_a_refund_by_staff_returns_credits(operator, owner):
    video = make_video(owner, "completed", duration=4)
    operator.post(page(video, "refund"), {**YES, "credits": "4", "why": "Lips"})
    assert money_of(owner) == Money(balance=30, charges=1)


def test_a_staff_action_on_an_unknown_video_is_a_404(operator):
    address = reverse("admin:videos_video_run_cancel", args=["0b0a0c86-3f7c-4a44-9b29-0a3f7f5b5a10"])
    assert operator.get(address).status_code == 404


# ── Several at once


def several(videos, **payload: str) -> dict:
    return {"action": "several_cancel", "_selected_action": [str(video.pk) for video in videos], **payload}


def test_a_staff_action_on_several_videos_asks_first(operator, owner):
    videos = [make_video(owner, "queued"), make_video(owner, "rendering")]
    with nothing_changes():
        response = operator.post(LIST, several(videos))
    assert [response.content.count(str(video.pk).encode()) for video in videos] == [2, 2]


def test_staff_cancel_several_videos_and_see_which_were_refused(operator, owner):
    videos = [make_video(owner, "queued"), make_video(owner, "rendering"), make_video(owner, "failed")]
    response = operator.post(LIST, several(videos, **YES, charge="0"), follow=True)
    assert [fresh(video).status for video in videos] == ["canceled", "canceled", "failed"]
    assert (messages_of(response)[0], len(messages_of(response)), money_of(owner)) == (
        "Cancel: done for 2.",
        2,
        UNTOUCHED,
    )


def test_staff_with_view_permission_run_no_action_on_several_videos(viewer_staff, owner):
    body = several([make_video(owner)], **YES, charge="0")
    with nothing_changes():
        viewer_staff.post(LIST, body)


def test_a_staff_action_on_too_many_videos_is_refused(operator, owner, monkeypatch):
    monkeypatch.setattr("videos.admin.staff_action_pages.MAX_AT_ONCE", 1)
    videos = [make_video(owner), make_video(owner)]
    with nothing_changes():
        response = operator.post(LIST, several(videos, **YES, charge="0"), follow=True)
    assert (messages_of(response), MAX_AT_ONCE) == (["At most 1 videos at a time."], 100)


# ── The gate


def gate_page(name: str) -> str:
    return reverse(f"admin:videos_providerstate_{name}")


def test_a_pause_of_orders_asks_first(operator):
    gate()
    with nothing_changes():
        assert operator.get(gate_page("pause_provider")).status_code == 200


def test_orders_are_paused_and_resumed_from_the_page(operator):
    operator.post(gate_page("pause_provider"), YES)
    assert gate().paused_by == "view_video-change_video-view_providerstate@example.com"
    operator.post(gate_page("resume_provider"), YES)
    assert (gate().status_text, notes(gate())) == ("ok", ["Resume orders.", "Pause orders."])


@pytest.mark.parametrize("name", ["pause_provider", "resume_provider"])
def test_staff_with_view_permission_cannot_pause_orders(viewer_staff, name):
    gate()
    with nothing_changes():
        assert viewer_staff.post(gate_page(name), YES).status_code == 403


def test_staff_with_view_permission_cannot_open_the_gate(viewer_staff):
    type(gate()).objects.filter(pk=gate().pk).update(code="unauthorized", needs_staff=True)
    body = {"action": "open_gate", "_selected_action": [gate().pk]}
    with nothing_changes():
        viewer_staff.post(reverse("admin:videos_providerstate_changelist"), body)
