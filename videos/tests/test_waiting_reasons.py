"""What a video waits for, as shown to its client, in quotes, in the stream, and to staff."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from billing.models import Tier
from genvid.heygen.heygen_errors import Busy, OperatorProblem
from genvid.tests.asserts import data_of, nothing_changes, queries_once_warm, refusal_of
from genvid.tests.factories import PASSWORD, grant, make_avatar, make_video
from videos import settlement
from videos.enums import Status
from videos.models import Video, seconds_from_now
from videos.pipeline import overdue, scheduler, submission
from videos.provider import provider_gate
from videos.queue import estimates, queue_snapshot, render_times, waiting_reasons
from videos.streaming import changes
from videos.tests.pipeline import UNTOUCHED, fresh, gate, history, money_of

pytestmark = pytest.mark.django_db
VIDEOS = "/api/v1/videos"
EMPTY = OperatorProblem("insufficient_credit", "Your wallet is empty")


@pytest.fixture(autouse=True)
def current_queue(queue_is_current: None) -> None:
    pass


def shown(person, video: Video) -> dict:
    queue_snapshot.refresh()
    return data_of(person.client.get(f"{VIDEOS}/{video.pk}"))


def streamed(person, video: Video) -> tuple:
    data = shown(person, video)
    return data["waiting_for"], data["eta_seconds"]


def quoted(person) -> tuple:
    payload = {"script": "Hello.", "avatar_id": str(make_avatar().pk)}
    queue_snapshot.refresh()
    data = data_of(person.client.post(f"{VIDEOS}/quote", payload))
    return data["waiting_for"], data["eta_seconds"]


def limit_own_slots(count: int) -> None:
    Tier.objects.update(max_in_flight=count)


def make_stuck(person, **fields: object) -> Video:
    """A render that has lasted three times longer than nearly all others."""
    begun = {
        "submitted_at": seconds_from_now(-1000),
        "moved_at": seconds_from_now(-1000),
        "stuck_at": seconds_from_now(-1),
    }
    return make_video(person, "rendering", **begun | fields)


def close_gate() -> None:
    provider_gate.trip(EMPTY)


def close_gate_for_load() -> None:
    provider_gate.trip(Busy("rate_limit_exceeded", retry_after=600))


def pause() -> None:
    provider_gate.pause("staff@example.com")


def end_wait_of_gate() -> None:
    close_gate()
    gate_over = timezone.now() - timedelta(seconds=1)
    type(gate()).objects.update(closed_until=gate_over)


# ── The four reasons


def test_a_video_whose_turn_will_come_waits_for_a_slot(owner):
    assert streamed(owner, make_video(owner)) == ("slot", 144)


@pytest.mark.parametrize("shut", [close_gate, close_gate_for_load, pause, end_wait_of_gate])
def test_no_expected_time_is_promised_while_the_gate_is_closed(owner, shut):
    video = make_video(owner)
    shut()
    assert (streamed(owner, video), quoted(owner)) == (("provider", None), ("provider", None))
    assert shown(owner, video)["queue_position"] == 1


def test_a_video_waits_for_a_slot_once_the_gate_is_open_again(owner):
    video = make_video(owner)
    pause()
    provider_gate.resume("staff@example.com")
    assert streamed(owner, video) == ("slot", 144)


def test_a_video_waits_for_the_provider_without_a_heygen_key(owner, settings):
    settings.HEYGEN_API_KEY = ""
    assert streamed(owner, make_video(owner)) == ("provider", None)


def test_no_expected_time_is_promised_while_the_accounts_slots_are_full(owner, outsider):
    limit_own_slots(2)
    for _ in range(2):
        make_video(owner, "rendering")
    video = make_video(owner)
    assert (streamed(owner, video), quoted(owner)) == (("own_slots", None), ("own_slots", None))
    assert (streamed(outsider, make_video(outsider))[0], quoted(outsider)[0]) == ("slot", None)


def test_only_a_video_beyond_the_limit_of_its_account_waits_for_own_slots(owner):
    limit_own_slots(3)
    make_video(owner, "rendering")
    videos = [make_video(owner) for _ in range(3)]
    assert [streamed(owner, video)[0] for video in videos] == ["slot", "slot", "own_slots"]


def test_an_order_set_aside_waits_for_staff_alone(owner):
    aside = make_video(owner, set_aside_at=timezone.now())
    other = make_video(owner)
    assert (streamed(owner, aside), shown(owner, aside)["queue_position"]) == (("staff", None), None)
    assert streamed(owner, other) == ("slot", 144)


def test_waiting_for_staff_goes_before_provider_and_provider_before_own_slots(owner):
    limit_own_slots(1)
    make_video(owner, "rendering")
    aside, waits = make_video(owner, set_aside_at=timezone.now()), make_video(owner)
    assert (streamed(owner, aside)[0], streamed(owner, waits)[0]) == ("staff", "own_slots")
    pause()
    assert (streamed(owner, aside)[0], streamed(owner, waits)[0]) == ("staff", "provider")


@pytest.mark.parametrize("status", [status for status in Status if status != Status.QUEUED])
def test_a_video_that_is_not_queued_has_no_waiting_for(owner, status):
    pause()
    assert shown(owner, make_video(owner, status))["waiting_for"] is None


# ── The quote


def test_a_quote_with_a_free_slot_waits_for_nothing(owner):
    assert quoted(owner) == (None, 132)


def test_a_quote_with_all_slots_taken_waits_for_a_slot(owner, outsider, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    make_video(outsider, "rendering")
    assert quoted(owner) == ("slot", 132)


def test_no_expected_time_is_stored_while_none_can_be_promised(owner):
    pause()
    queue_snapshot.refresh()
    assert fresh(make_video(owner)).promised_at is None


# ── Renders that are stuck


def test_stuck_renders_take_no_own_slots(owner):
    limit_own_slots(5)
    for _ in range(5):
        make_stuck(owner)
    video = make_video(owner)
    assert streamed(owner, video)[0] == "slot"
    assert (scheduler.hand_out_slots(), fresh(video).status) == (1, "submitting")


def test_renders_that_merely_take_long_still_take_own_slots(owner):
    limit_own_slots(1)
    make_stuck(owner, stuck_at=seconds_from_now(60))
    video = make_video(owner)
    assert (streamed(owner, video)[0], scheduler.hand_out_slots()) == ("own_slots", 0)


def test_no_expected_time_is_promised_when_stuck_renders_take_all_slots(owner, outsider, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    make_stuck(outsider)
    assert (streamed(owner, make_video(owner)), quoted(owner)) == (("slot", None), ("slot", None))


def test_stuck_renders_leave_fewer_slots_for_the_estimate(owner, outsider, settings):
    settings.HEYGEN_MAX_CONCURRENT = 2
    make_stuck(outsider)
    queue_snapshot.refresh()
    videos = [make_video(owner) for _ in range(2)]
    assert [streamed(owner, video)[1] for video in videos] == [144, 288]


def test_an_accepted_order_has_the_time_from_which_it_counts_as_stuck(owner):
    video = make_video(owner, "submitting")
    submission.record_acceptance(video, "remote-1", reason="accepted_by_provider")
    video = fresh(video)
    longest = render_times.render_times_of(video).p99 * 3
    assert (video.stuck_at - (video.accepted_at or video.submitted_at)).total_seconds() == pytest.approx(longest)


def test_an_order_placed_anew_does_not_count_as_stuck_for_the_previous_one(owner):
    video = make_stuck(owner)
    assert settlement.requeue_video(video, reason="provider_busy", why="busy")
    assert (fresh(video).stuck_at, streamed(owner, video)[0]) == (None, "slot")


@pytest.mark.parametrize(("elapsed", "eta"), [(0, 100), (90, 10), (399, 10), (401, None), (5000, None)])
def test_a_render_beyond_the_expected_p99_has_no_expected_time(elapsed, eta):
    now = timezone.now()
    video = Video(status=Status.RENDERING, expected_render_seconds=100, submitted_at=now - timedelta(seconds=elapsed))
    video.stuck_at = video.submitted_at + timedelta(seconds=1200)
    assert estimates.eta_seconds(video, None, now) == eta


def test_a_missed_expected_time_is_not_promised_again_far_back_in_the_queue():
    now = timezone.now()
    video = Video(status=Status.QUEUED, expected_render_seconds=100, promised_at=now - timedelta(hours=1))
    assert [estimates.eta_seconds(video, position, now, 10) for position in (1, 10, 11)] == [100, 100, None]


def test_an_order_placed_anew_has_no_expected_time_beyond_the_earlier_one():
    now = timezone.now()
    video = Video(status=Status.QUEUED, expected_render_seconds=100, eta_ceiling=10)
    assert estimates.eta_seconds(video, 1, now) is None
    video.eta_ceiling = 100
    assert estimates.eta_seconds(video, 1, now) == 100


# ── Canceling a stuck render


def test_a_client_may_cancel_a_stuck_render_and_sees_its_cost(owner):
    video = make_stuck(owner)
    assert shown(owner, video)["cancel_credits"] == 0
    data = data_of(owner.client.post(f"{VIDEOS}/{video.pk}/cancel"))
    assert (data["status"], data["credits"]) == ("canceled", {"held": 0, "charged": 0})
    assert (money_of(owner), history(video)[-1]) == (UNTOUCHED, ("rendering", "canceled", "stuck_render_canceled"))


@pytest.mark.parametrize("status", ["submitting", "rendering", "storing"])
def test_a_render_that_is_not_stuck_cannot_be_canceled(owner, status):
    video = make_video(owner, status, stuck_at=seconds_from_now(60))
    assert shown(owner, video)["cancel_credits"] is None
    with nothing_changes():
        answer = owner.client.post(f"{VIDEOS}/{video.pk}/cancel")
    assert refusal_of(answer) == (409, "invalid_state")


def test_a_video_that_is_being_stored_cannot_be_canceled_however_long_its_render_took(owner):
    video = make_video(owner, "storing", stuck_at=seconds_from_now(-1))
    with nothing_changes():
        assert owner.client.post(f"{VIDEOS}/{video.pk}/cancel").status_code == 409


def test_a_queued_video_says_that_canceling_costs_nothing(owner):
    assert shown(owner, make_video(owner))["cancel_credits"] == 0


def test_another_accounts_stuck_render_cannot_be_canceled(owner, outsider):
    video = make_stuck(owner)
    with nothing_changes():
        assert outsider.client.post(f"{VIDEOS}/{video.pk}/cancel").status_code == 404


# ── In stream, ETag and lists


def test_the_stream_of_a_video_sends_what_it_waits_for_and_each_change(owner):
    video = make_video(owner)
    before = changes.read_changes({video.pk: video.moved_at}, {}, [video.pk]).progress[video.pk]
    pause()
    queue_snapshot.refresh()
    later = changes.read_changes({video.pk: video.moved_at}, {}, [video.pk]).progress[video.pk]
    assert (before["waiting_for"], later["waiting_for"]) == ("slot", "provider")
    assert b'"waiting_for":"provider"' in changes.progress_text(later)
    (frame, *_) = changes.read_changes({video.pk: None}, {video.pk: 0}).frames[video.pk]
    assert b'"waiting_for":"provider"' in frame.text


@pytest.mark.parametrize("path", ["", "/{id}"])
def test_the_etag_of_a_video_changes_with_what_it_waits_for(owner, path):
    address = VIDEOS + path.format(id=make_video(owner).pk)
    etag = owner.client.get(address).headers["ETag"]
    assert owner.client.get(address, headers={"If-None-Match": etag}).status_code == 304
    pause()
    queue_snapshot.refresh()
    assert owner.client.get(address, headers={"If-None-Match": etag}).status_code == 200


def test_waiting_reasons_of_a_long_list_take_no_more_queries(owner):
    grant(owner, 100)
    for _ in range(2):
        make_video(owner)
    short = queries_once_warm(lambda: owner.client.get(VIDEOS))
    for _ in range(4):
        make_video(owner)
        make_video(owner, set_aside_at=timezone.now())
    assert queries_once_warm(lambda: owner.client.get(VIDEOS)) == short


# ── For staff


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", PASSWORD))
    return client


def reason(video: Video) -> str:
    queue_snapshot.refresh()
    return waiting_reasons.reasons([fresh(video)])[video.pk]


def test_staff_see_a_reason_for_every_waiting_video(owner):
    limit_own_slots(4)
    queued = make_video(owner)
    assert reason(queued) == "Waits for a slot; number 1 in the queue"
    for status, words in (("submitting", "Its order"), ("rendering", "HeyGen renders"), ("storing", "Its files")):
        assert reason(make_video(owner, status)).startswith(words)
    assert reason(make_stuck(owner)).startswith("Stuck: ")
    pause()
    assert reason(queued) == "Orders are paused by staff@example.com"
    provider_gate.resume("staff@example.com")
    close_gate()
    assert reason(queued) == "HeyGen takes no orders: insufficient_credit Your wallet is empty"
    Video.objects.filter(pk=queued.pk).update(set_aside_at=timezone.now(), waiting_reason="too dear")
    assert reason(queued) == "Set aside for staff (too dear)"


def test_staff_see_that_the_slots_of_an_account_are_full(owner):
    limit_own_slots(1)
    make_video(owner, "rendering")
    assert reason(make_video(owner)) == "The account's own slots are full; number 1 in the queue"


@pytest.mark.parametrize("status", ["draft", "completed", "failed", "canceled"])
def test_a_video_that_waits_for_nothing_has_no_reason_for_staff(owner, status):
    assert reason(make_video(owner, status)) == ""


def test_the_admin_list_shows_waiting_reasons_in_a_constant_number_of_queries(owner, staff):
    address = reverse("admin:videos_video_changelist")
    make_video(owner)
    queue_snapshot.refresh()
    assert "number 1 in the queue" in staff.get(address).content.decode()
    few = queries_once_warm(lambda: staff.get(address))
    for _ in range(4):
        make_video(owner)
    queue_snapshot.refresh()
    assert queries_once_warm(lambda: staff.get(address)) == few


def test_the_admin_page_of_a_video_shows_its_waiting_reason(owner, staff):
    video = make_video(owner)
    page = staff.get(reverse("admin:videos_video_change", args=[video.pk])).content.decode()
    assert "Waits for a slot; number 1 in the queue" in page


def test_a_video_failed_in_the_queue_keeps_its_waiting_reason(owner):
    video = make_video(owner, deadline_at=seconds_from_now(0))
    pause()
    queue_snapshot.refresh()
    overdue.end_overdue()
    assert (fresh(video).status, fresh(video).provider_error) == ("failed", "Orders are paused by staff@example.com")
