"""Actions on a video over the API: generate, cancel, retry, change and delete; permissions."""

from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.utils import timezone

from billing.enums import HoldStatus
from billing.models import Hold
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.factories import make_avatar, make_caller, make_request, make_video, make_voice, set_balance
from genvid.tests.parallel import in_parallel
from videos import urls
from videos.enums import PROCESSING, Status
from videos.lifecycle import video_actions
from videos.models import Video, VideoEvent
from videos.tests.batches import BATCHES
from videos.tests.pipeline import Money, fresh, history, money_of
from videos.video_request import VideoChanges

pytestmark = pytest.mark.django_db
VIDEOS = "/api/v1/videos"
NOBODY = "00000000-0000-4000-8000-000000000000"
LONG = "One two three four five six seven eight nine ten. " * 3
STATUSES = [str(status) for status in Status]


def all_statuses_but(*statuses: str) -> list[str]:
    return [status for status in STATUSES if status not in statuses]


def address_of(video, action: str = "") -> str:
    return f"{VIDEOS}/{video.pk}{action and '/'}{action}"


def run_action(person, action: str, video, **headers):
    return person.client.post(address_of(video, action), headers=headers)


def hold_of(video) -> tuple[int, str]:
    hold = Hold.objects.get(reference=video.money_reference)
    return hold.amount, hold.status


# ── Generate


@pytest.mark.usefixtures("queue_is_current")
def test_a_draft_is_queued_and_its_credits_are_held(owner):
    draft = make_video(owner, "draft")
    data = data_of(run_action(owner, "generate", draft))
    assert (data["status"], data["credits"], data["queue_position"]) == ("queued", {"held": 5, "charged": 0}, 1)
    assert (hold_of(draft), money_of(owner)) == ((5, HoldStatus.OPEN), Money(balance=30, held=5, holds=1))
    assert history(draft) == [("", "draft", "created"), ("draft", "queued", "accepted")]


@pytest.mark.parametrize("status", all_statuses_but("draft"))
def test_only_a_draft_can_be_generated(owner, status):
    video = make_video(owner, status)
    with nothing_changes():
        response = run_action(owner, "generate", video)
    assert refusal_of(response) == (409, "invalid_state")


def test_a_draft_that_the_wallet_does_not_cover_stays_a_draft(owner):
    draft = make_video(owner, "draft")
    set_balance(owner, 4)
    with nothing_changes():
        response = run_action(owner, "generate", draft)
    assert refusal_of(response) == (402, "insufficient_credits")


@pytest.mark.parametrize("part", ["avatar", "voice"])
def test_a_draft_whose_avatar_or_voice_is_retired_stays_a_draft(owner, part):
    draft = make_video(owner, "draft")
    type(getattr(draft, part)).objects.update(is_available=False)
    with nothing_changes():
        response = run_action(owner, "generate", draft)
    assert wrong_fields_of(response) == [f"{part}_id"]


# ── Cancel


def test_a_queued_video_is_canceled_and_its_credits_are_free_again(owner):
    video = make_video(owner)
    data = data_of(run_action(owner, "cancel", video))
    assert (data["status"], data["credits"], data["eta_seconds"]) == ("canceled", {"held": 0, "charged": 0}, None)
    assert (hold_of(video), money_of(owner)) == ((5, HoldStatus.RELEASED), Money(balance=30))


def test_a_canceled_video_says_when_and_has_no_error(owner):
    video = make_video(owner)
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        data = data_of(run_action(owner, "cancel", video))
    assert (data["completed_at"], data["error"]) == (data["updated_at"], None)
    assert history(video)[-1] == ("queued", "canceled", "canceled")


def test_a_video_is_canceled_once(owner):
    video = make_video(owner)
    run_action(owner, "cancel", video)
    with nothing_changes():
        response = run_action(owner, "cancel", video)
    assert refusal_of(response) == (409, "invalid_state")


@pytest.mark.parametrize("status", all_statuses_but("queued"))
def test_a_video_that_is_not_queued_cannot_be_canceled(owner, status):
    video = make_video(owner, status)
    with nothing_changes():
        response = run_action(owner, "cancel", video)
    assert refusal_of(response) == (409, "invalid_state")


# ── Retry


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_failed_or_canceled_video_can_be_retried(owner, status):
    old = make_video(owner, status)
    data = data_of(run_action(owner, "retry", old), 201)
    new = Video.objects.get(pk=data["id"])
    assert (data["status"], data["retry_of"], data["error"]) == ("queued", str(old.pk), None)
    assert (hold_of(new), money_of(owner)) == ((5, HoldStatus.OPEN), Money(balance=30, held=5, holds=1))


def test_a_retry_has_the_request_of_the_old_video(owner):
    asked = {"title": "Sale", "format": "1:1", "resolution": "720p", "language": "en", "captions": True}
    asked |= {"speed": 1.5, "metadata": {"a": "b"}, "background": {"type": "color", "value": "#112233"}}
    old = make_video(owner, "canceled", **asked)
    data = data_of(run_action(owner, "retry", old), 201)
    assert {name: data[name] for name in asked} == asked
    assert (data["script"], data["avatar_id"], data["voice_id"]) == (
        old.script,
        str(old.avatar_id),
        str(old.voice_id),
    )


def test_a_retry_leaves_the_old_video_as_it_was(owner):
    old = make_video(owner, "failed")
    before = data_of(owner.client.get(address_of(old)))
    run_action(owner, "retry", old)
    assert data_of(owner.client.get(address_of(old))) == before


def test_a_failed_retry_may_be_retried(owner):
    old = make_video(owner, "canceled")
    second = Video.objects.get(pk=data_of(run_action(owner, "retry", old), 201)["id"])
    run_action(owner, "cancel", second)
    assert data_of(run_action(owner, "retry", second), 201)["retry_of"] == str(second.pk)


@pytest.mark.parametrize("status", all_statuses_but("failed", "canceled"))
def test_a_video_that_has_not_failed_cannot_be_retried(owner, status):
    video = make_video(owner, status)
    with nothing_changes():
        response = run_action(owner, "retry", video)
    assert refusal_of(response) == (409, "invalid_state")


def test_a_retry_that_the_wallet_does_not_cover_is_not_made(owner):
    old = make_video(owner, "failed")
    set_balance(owner, 4)
    with nothing_changes():
        response = run_action(owner, "retry", old)
    assert refusal_of(response) == (402, "insufficient_credits")


def test_a_retry_with_a_retired_avatar_is_refused(owner):
    old = make_video(owner, "failed", avatar=make_avatar(is_available=True))
    type(old.avatar).objects.update(is_available=False)
    with nothing_changes():
        response = run_action(owner, "retry", old)
    assert wrong_fields_of(response) == ["avatar_id"]


@pytest.mark.parametrize(("action", "status"), [("generate", "draft"), ("retry", "failed")])
def test_an_action_with_an_idempotency_key_runs_once(owner, action, status):
    video = make_video(owner, status)
    answers = [run_action(owner, action, video, Idempotency_Key="key-1") for _ in range(2)]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, "true"]
    assert money_of(owner) == Money(balance=30, held=5, holds=1)


# ── Change


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("change", [{"title": "New"}, {"metadata": {"a": "b"}}, {"title": "", "metadata": {}}], ids=str)
def test_title_and_metadata_of_any_video_may_change(owner, status, change):
    video = make_video(owner, status, title="Old", metadata={"old": "1"})
    before = data_of(owner.client.get(address_of(video)))
    data = data_of(owner.client.patch(address_of(video), change))
    assert data == before | change | {"updated_at": data["updated_at"], "eta_seconds": data["eta_seconds"]}


LATE = {
    "script": "Another.",
    "format": "1:1",
    "resolution": "720p",
    "language": "en",
    "captions": True,
    "background": {"type": "color", "value": "#112233"},
    "speed": 1.5,
}


@pytest.mark.parametrize(("name", "value"), LATE.items(), ids=LATE.keys())
def test_every_field_of_a_draft_may_change(owner, name, value):
    draft = make_video(owner, "draft")
    before = data_of(owner.client.get(address_of(draft)))
    data = data_of(owner.client.patch(address_of(draft), {name: value}))
    assert data == before | {name: value, "updated_at": data["updated_at"]}


@pytest.mark.parametrize("name", ["background", "language"])
def test_a_field_of_a_draft_is_reset_by_null(owner, name):
    draft = make_video(owner, "draft", **{name: LATE[name]})
    assert data_of(owner.client.patch(address_of(draft), {name: None}))[name] is None


def test_a_draft_gets_the_voice_of_its_new_avatar(owner):
    draft, avatar = make_video(owner, "draft"), make_avatar()
    data = data_of(owner.client.patch(address_of(draft), {"avatar_id": str(avatar.pk)}))
    assert (data["avatar_id"], data["voice_id"]) == (str(avatar.pk), str(avatar.default_voice_id))


def test_a_draft_keeps_a_voice_that_is_named_with_its_new_avatar(owner):
    draft, avatar, voice = make_video(owner, "draft"), make_avatar(), make_voice()
    change = {"avatar_id": str(avatar.pk), "voice_id": str(voice.pk)}
    assert data_of(owner.client.patch(address_of(draft), change))["voice_id"] == str(voice.pk)


@pytest.mark.usefixtures("queue_is_current")
def test_a_changed_draft_holds_the_credits_of_its_new_script(owner):
    draft = make_video(owner, "draft")
    owner.client.patch(address_of(draft), {"script": LONG})
    data = data_of(run_action(owner, "generate", draft))
    assert (data["credits"]["held"], data["eta_seconds"]) == (17, 198)
    assert money_of(owner) == Money(balance=30, held=17, holds=1)


def test_a_draft_with_another_engine_has_the_price_of_that_engine(owner):
    draft, cheap = make_video(owner, "draft", script=LONG), make_avatar(engines=["avatar_iii"])
    owner.client.patch(address_of(draft), {"avatar_id": str(cheap.pk)})
    assert data_of(run_action(owner, "generate", draft))["credits"] == {"held": 9, "charged": 0}


@pytest.mark.parametrize("status", all_statuses_but("draft"))
def test_the_request_of_a_video_that_is_no_draft_cannot_change(owner, status):
    video = make_video(owner, status)
    change = LATE | {"avatar_id": str(video.avatar_id), "voice_id": str(video.voice_id), "title": "New"}
    with nothing_changes():
        response = owner.client.patch(address_of(video), change)
    assert refusal_of(response) == (409, "invalid_state")
    assert sorted(response.json()["error"]["details"]) == sorted(set(change) - {"title"})


WRONG = [
    ("script", ""),
    ("title", 7),
    ("speed", 2),
    ("avatar_id", NOBODY),
    ("voice_id", NOBODY),
    ("language", "de"),
    ("metadata", []),
    ("draft", False),
    ("status", "queued"),
    ("colour", "x"),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[name for name, _ in WRONG])
def test_a_change_of_a_draft_refuses_what_a_new_video_refuses(owner, name, value):
    draft = make_video(owner, "draft")
    with nothing_changes():
        response = owner.client.patch(address_of(draft), {name: value, "title": "New"} | {name: value})
    assert wrong_fields_of(response) == ["voice_id" if name == "language" else name]


def test_a_draft_that_changes_while_it_is_generated_does_not_hold_its_old_price(owner):
    draft = make_video(owner, "draft")
    video_actions.update_draft(fresh(draft), VideoChanges({"script": LONG}))
    video_actions.generate_video(owner.caller, draft)
    assert fresh(draft).credits_held == 17


def test_two_concurrent_changes_of_a_draft_are_both_kept(owner):
    first = make_video(owner, "draft")
    second = fresh(first)
    video_actions.update_draft(first, VideoChanges({"script": LONG}))
    video_actions.update_draft(second, VideoChanges({"speed": 1.5}))
    assert (fresh(first).script, fresh(first).speed) == (LONG, 1.5)


# ── Delete


@pytest.mark.parametrize("status", ["draft", "completed", "failed", "canceled"])
def test_a_deleted_video_is_not_found_by_its_client(owner, status):
    video = make_video(owner, status)
    response = owner.client.delete(address_of(video))
    assert (response.status_code, response.content) == (204, b"")
    assert refusal_of(owner.client.get(address_of(video))) == (404, "not_found")
    assert data_of(owner.client.get(VIDEOS)) == []


def test_deleting_a_video_deletes_no_other_row(owner):
    video, other = make_video(owner, "completed"), make_video(owner, "completed")
    before = money_of(owner)
    owner.client.delete(address_of(video))
    assert [row["id"] for row in data_of(owner.client.get(VIDEOS))] == [str(other.pk)]
    assert money_of(owner) == before


@pytest.mark.parametrize("status", all_statuses_but("draft", "completed", "failed", "canceled"))
def test_a_video_that_is_being_made_cannot_be_deleted(owner, status):
    video = make_video(owner, status)
    with nothing_changes():
        response = owner.client.delete(address_of(video))
    assert refusal_of(response) == (409, "invalid_state")


def test_deleting_a_video_enqueues_its_purge(owner, woken, django_capture_on_commit_callbacks):
    video = make_video(owner, "completed")
    with django_capture_on_commit_callbacks(execute=True):
        owner.client.delete(address_of(video))
    assert woken == [("videos.purge", str(video.pk))]
    assert default_storage.exists(video.file.name)


# ── Permissions

DETAIL = [
    ("get", ""),
    ("patch", ""),
    ("delete", ""),
    *[("post", action) for action in ("generate", "cancel", "retry")],
    *[("get", part) for part in ("events", "file", "thumbnail", "captions")],
]
EVERYWHERE = [("get", VIDEOS), ("post", VIDEOS), ("post", f"{VIDEOS}/quote")]
EVERYWHERE += [(method, f"{VIDEOS}/{NOBODY}{action and '/'}{action}") for method, action in DETAIL]
EVERYWHERE += [("get", BATCHES), ("post", BATCHES), ("post", f"{BATCHES}/quote"), ("get", f"{BATCHES}/{NOBODY}")]
EVERYWHERE += [("post", f"{BATCHES}/{NOBODY}/cancel"), ("get", f"{BATCHES}/{NOBODY}/results.csv")]
EVERYWHERE += [("get", "/api/v1/usage"), ("post", "/api/v1/speech"), ("get", f"/api/v1/speech/{NOBODY}")]


def test_every_route_of_videos_is_tested_for_permissions():
    routes = {f"/api/v1/{route.pattern}".replace("<uuid:pk>", NOBODY) for route in urls.urlpatterns}
    assert {path for _, path in EVERYWHERE} == routes


@pytest.mark.parametrize(("method", "path"), EVERYWHERE)
def test_a_request_without_credentials_is_refused_on_every_route(anonymous, method, path):
    with nothing_changes():
        response = getattr(anonymous, method)(path)
    assert refusal_of(response) == (401, "not_authenticated")


@pytest.mark.parametrize("status", ["draft", "completed"])
@pytest.mark.parametrize(("method", "action"), DETAIL)
def test_another_accounts_video_is_not_found(owner, outsider, method, action, status):
    video = make_video(owner, status)
    with nothing_changes():
        response = getattr(outsider.client, method)(address_of(video, action))
    assert refusal_of(response) == (404, "not_found")


@pytest.mark.parametrize(("method", "action"), DETAIL)
def test_a_deleted_video_is_not_found_on_any_route(owner, method, action):
    video = make_video(owner, "completed")
    owner.client.delete(address_of(video))
    with nothing_changes():
        response = getattr(owner.client, method)(address_of(video, action))
    assert refusal_of(response) == (404, "not_found")


@pytest.mark.parametrize(("method", "action"), DETAIL)
def test_a_malformed_video_id_is_not_found(owner, method, action):
    path = f"{VIDEOS}/not-a-uuid{action and '/'}{action}"
    assert refusal_of(getattr(owner.client, method)(path)) == (404, "not_found")


def test_another_accounts_video_is_answered_like_an_unknown_one(owner, outsider):
    somebodys, nobodys = make_video(owner), Video(pk=NOBODY)
    answers = [outsider.client.get(address_of(video)).json()["error"] for video in (somebodys, nobodys)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(("method", "action"), [row for row in DETAIL if row[0] != "get"])
def test_a_viewer_can_change_no_video(owner, viewer, method, action):
    video = make_video(owner, "draft")
    with nothing_changes():
        response = getattr(viewer.client, method)(address_of(video, action))
    assert refusal_of(response) == (403, "permission_denied")


def test_a_viewer_can_make_no_video(viewer, avatar):
    with nothing_changes():
        response = viewer.client.post(VIDEOS, {"script": "Hello.", "avatar_id": str(avatar.pk)})
    assert refusal_of(response) == (403, "permission_denied")


@pytest.mark.parametrize("action", ["", "events"])
def test_a_viewer_sees_a_video_as_its_owner_does(owner, viewer, action):
    video = make_video(owner, "failed")
    assert data_of(viewer.client.get(address_of(video, action))) == data_of(owner.client.get(address_of(video, action)))


@pytest.mark.parametrize(("action", "status"), [("generate", "draft"), ("cancel", "queued")])
def test_a_teammate_may_run_actions_on_the_owners_videos(owner, teammate, action, status):
    assert run_action(teammate, action, make_video(owner, status)).status_code == 200


# ── Representation


@pytest.mark.parametrize("status", sorted(PROCESSING))
def test_a_video_in_the_pipeline_is_processing_with_its_progress(owner, status):
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        video = make_video(owner, status, submitted_at=now - timedelta(seconds=60))
        data = data_of(owner.client.get(address_of(video)))
    progress, eta = {"storing": (99, 1)}.get(status, (48, 84))
    assert (data["status"], data["progress_percent"], data["eta_seconds"]) == ("processing", progress, eta)


def test_a_completed_video_has_its_length_its_links_and_its_price(owner):
    video = make_video(owner, "completed", duration="4.200")
    data = data_of(owner.client.get(address_of(video)))
    base = f"http://127.0.0.1:8000/api/v1/videos/{video.pk}"
    assert (data["file_url"], data["thumbnail_url"], data["captions_url"]) == (
        f"{base}/file",
        f"{base}/thumbnail",
        f"{base}/captions",
    )
    assert (data["status"], data["progress_percent"], data["eta_seconds"]) == ("completed", 100, None)
    assert (data["duration_seconds"], data["credits"]) == (4.2, {"held": 0, "charged": 5})


def test_a_failed_video_has_its_public_reason_and_no_text_of_heygen(owner):
    video = make_video(owner, "failed", provider_error="secret words", waiting_reason="secret words")
    response = owner.client.get(address_of(video))
    message = "The video could not be made. Nothing was charged."
    assert data_of(response)["error"] == {"code": "render_failed", "message": message, "retryable": True}
    assert b"secret" not in response.content


# ── Concurrency


@pytest.mark.django_db(transaction=True)
def test_one_of_eight_concurrent_cancellations_succeeds():
    person = make_caller()
    video = make_video(person)
    outcomes = in_parallel([partial(video_actions.cancel_by_client, fresh(video)) for _ in range(8)])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InvalidState"] * 7 + ["Video"]
    assert money_of(person) == Money(balance=30)


@pytest.mark.django_db(transaction=True)
def test_one_of_eight_concurrent_generations_of_a_draft_succeeds():
    person = make_caller()
    draft = make_video(person, "draft")
    outcomes = in_parallel([partial(video_actions.generate_video, person.caller, fresh(draft)) for _ in range(8)])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InvalidState"] * 7 + ["Video"]
    assert (money_of(person), VideoEvent.objects.count()) == (Money(balance=30, held=5, holds=1), 2)


@pytest.mark.django_db(transaction=True)
def test_concurrent_orders_make_no_more_videos_than_the_wallet_covers():
    person = make_caller(balance=17)
    one = partial(video_actions.create_video, person.caller, make_request())
    outcomes = in_parallel([one] * 8)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InsufficientCredits"] * 5 + ["Video"] * 3
    assert money_of(person) == Money(balance=17, held=15, holds=3)


def test_a_background_without_a_type_is_refused_in_a_change(owner):
    video = make_video(owner, "draft")
    with nothing_changes():
        response = owner.client.patch(f"/api/v1/videos/{video.pk}", {"background": {}})
    assert wrong_fields_of(response) == ["background.type"]
