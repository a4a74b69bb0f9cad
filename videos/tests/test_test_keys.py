"""Test keys: free, watermarked videos, rendered by the operator's sandbox outside the queue."""

import pytest
from pytest_django import Settings

from accounts.enums import KeyMode
from genvid.sandbox.process import SandboxProcess
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, wrong_fields_of
from genvid.tests.factories import Person, Program, make_caller, make_key, make_video, set_balance
from videos.enums import Status
from videos.lifecycle import deletion
from videos.models import Batch, ProviderState, Video
from videos.pipeline import scheduler, submission
from videos.queue import render_times
from videos.tests.pipeline import Money, Pipeline, fresh, money_of, positions_now

VIDEOS = "/api/v1/videos"
KEYS = "/api/v1/api-keys"
PAYLOAD = {"name": "Trying out", "scopes": ["videos:read"], "mode": "test"}


@pytest.fixture
def renderer(pipeline: Pipeline, settings: Settings) -> SandboxProcess:
    settings.TEST_RENDERER_URL = pipeline.sandbox.url
    settings.TEST_RENDERER_KEY = pipeline.sandbox.test_key
    return pipeline.sandbox


@pytest.fixture
def tester(owner: Person, renderer: SandboxProcess) -> Program:
    """A program with a test key of the owner's account, whose wallet is empty."""
    set_balance(owner, 0)
    return make_key(owner, mode=KeyMode.TEST)


def make_live_video(owner: Person) -> Video:
    set_balance(owner, 100)
    return make_video(owner)


def order(program: Program, pipeline: Pipeline) -> Video:
    payload = {"script": "Testing, testing.", "avatar_id": str(pipeline.avatar.pk), "resolution": "720p"}
    return Video.objects.get(pk=data_of(program.client.post(VIDEOS, payload), 201)["id"])


def test_a_test_key_is_shown_as_such(owner, renderer):
    made = data_of(owner.client.post(KEYS, PAYLOAD), 201)
    assert (made["mode"], made["key"][:8], made["prefix"][:8]) == ("test", "gv_test_", "gv_test_")


def test_a_key_is_live_unless_asked_otherwise(owner):
    made = data_of(owner.client.post(KEYS, {"name": "CI", "scopes": ["videos:read"]}), 201)
    assert (made["mode"], made["key"][:8]) == ("live", "gv_live_")


def test_test_keys_are_refused_without_a_test_renderer(owner, settings):
    settings.TEST_RENDERER_URL = ""
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(KEYS, PAYLOAD)) == ["mode"]


def test_a_test_video_is_made_free_of_charge(owner, tester, pipeline):
    video = pipeline.run(order(tester, pipeline))
    assert (video.is_test, video.credits_held, video.credits_charged) == (True, 0, 0)
    assert money_of(owner) == Money(balance=0)
    data = data_of(tester.client.get(f"{VIDEOS}/{video.pk}"))
    assert (data["status"], data["is_test"], data["credits"]) == ("completed", True, {"held": 0, "charged": 0})


def test_a_test_video_is_ordered_once_with_the_test_key(tester, pipeline, settings):
    settings.HEYGEN_API_KEY = "refused-everywhere"
    video = pipeline.run(order(tester, pipeline))
    assert pipeline.count_renders(video) == 1


def test_the_quote_of_a_test_video_is_no_credits(tester, pipeline):
    payload = {"script": "Testing.", "avatar_id": str(pipeline.avatar.pk)}
    quoted = data_of(tester.client.post(f"{VIDEOS}/quote", payload))
    assert (quoted["credits"], quoted["affordable"]) == (0, True)


def test_a_test_key_sees_only_test_videos_and_a_live_key_only_live_ones(owner, tester, pipeline):
    test, live = order(tester, pipeline), make_live_video(owner)
    program = make_key(owner)
    assert [row["id"] for row in data_of(tester.client.get(VIDEOS))] == [str(test.pk)]
    assert [row["id"] for row in data_of(program.client.get(VIDEOS))] == [str(live.pk)]
    assert refusal_of(program.client.get(f"{VIDEOS}/{test.pk}")) == (404, "not_found")
    assert refusal_of(tester.client.delete(f"{VIDEOS}/{live.pk}")) == (404, "not_found")


@pytest.mark.parametrize(("wanted", "expected"), [("true", [True]), ("false", [False]), (None, [False, True])])
def test_a_signed_in_user_sees_live_and_test_videos_marked_as_such(owner, tester, pipeline, wanted, expected):
    order(tester, pipeline)
    make_live_video(owner)
    rows = data_of(owner.client.get(VIDEOS, {"is_test": wanted} if wanted else {}))
    assert [row["is_test"] for row in rows] == expected


def test_a_retried_test_video_is_a_test_video(owner, tester, pipeline):
    video = order(tester, pipeline)
    data_of(tester.client.post(f"{VIDEOS}/{video.pk}/cancel"))
    again = data_of(owner.client.post(f"{VIDEOS}/{video.pk}/retry"), 201)
    assert (again["is_test"], again["credits"]["held"]) == (True, 0)


def test_a_batch_of_a_test_key_is_one_of_test_videos(owner, tester, pipeline):
    payload = {
        "script": "Hi {{name}}.",
        "avatar_id": str(pipeline.avatar.pk),
        "rows": [{"name": "Ada"}, {"name": "Bo"}],
    }
    batch = data_of(tester.client.post("/api/v1/batches", payload), 201)
    assert batch["is_test"] is True
    assert set(Video.objects.values_list("is_test", "credits_held")) == {(True, 0)}
    assert Batch.objects.get().credits_quoted == 0
    assert data_of(make_key(owner).client.get("/api/v1/batches")) == []


def test_test_videos_take_no_slot_and_no_queue_position_of_others(owner, tester, pipeline, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    test, live = order(tester, pipeline), pipeline.order(make_caller(balance=100))
    assert positions_now([test, live]) == {live.pk: 1}
    assert (scheduler.hand_out_test_slots(), scheduler.hand_out_slots()) == (1, 1)
    assert {fresh(test).status, fresh(live).status} == {Status.SUBMITTING}


def test_the_number_of_test_videos_in_flight_is_limited(tester, pipeline, settings):
    settings.TEST_MAX_CONCURRENT = 2
    for _ in range(3):
        order(tester, pipeline)
    assert [scheduler.hand_out_test_slots() for _ in range(2)] == [2, 0]


def test_a_closed_gate_to_heygen_stops_no_test_video(tester, pipeline):
    ProviderState.objects.create(name="heygen", needs_staff=True, code="insufficient_credit")
    assert pipeline.run(order(tester, pipeline)).status == Status.COMPLETED
    assert ProviderState.objects.get(name="heygen").code == "insufficient_credit"


def test_an_error_of_the_test_renderer_closes_no_gate(tester, pipeline, settings):
    settings.TEST_RENDERER_KEY = "wrong"
    video = order(tester, pipeline)
    scheduler.hand_out_test_slots()
    submission.submit_video(str(video.pk))
    assert (fresh(video).status, fresh(video).tries) == (Status.SUBMITTING, 1)
    assert not ProviderState.objects.filter(name="heygen").exclude(code="").exists()


def test_render_times_ignore_test_renders(owner):
    make_video(owner, status=Status.COMPLETED, is_test=True)
    assert render_times._samples() == {}


def test_deleting_a_test_video_deletes_its_render_at_the_sandbox(tester, pipeline):
    video = pipeline.run(order(tester, pipeline))
    tester.client.delete(f"{VIDEOS}/{video.pk}")
    deletion.purge_video(str(video.pk))
    assert fresh(video).purged_at is not None
    assert pipeline.remote_render(video)["deleted"] == 1
