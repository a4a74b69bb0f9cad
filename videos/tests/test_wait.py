"""`Prefer: wait=n`: the answer comes when the video has ended, or after n seconds."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest
from django.utils import timezone

from genvid.api.prefer import requested_wait
from genvid.tests.asserts import data_of, refusal_of
from genvid.tests.factories import make_video
from genvid.tests.processes import WebProcess
from videos import settlement
from videos.enums import Status
from videos.lifecycle import deletion, video_actions
from videos.models import seconds_from_now
from videos.streaming import hub
from videos.tests.pipeline import fresh, wait_until


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=10", 10),
        ("WAIT=10", 10),
        ("wait = 10", 10),
        ('wait="10"', 10),
        ("wait=0", 0),
        ("wait=007", 7),
        ("wait=60", 60),
        ("wait=61", 60),
        ("wait=" + "9" * 500, 60),
        ("respond-async, wait=5", 5),
        ("respond-async, wait=5; strict; note=x, return=minimal", 5),
        ('note="a, wait=9", wait=5', 5),
        ('note="say \\"hi, wait=9\\"", wait=5', 5),
        ("wait=5, wait=9", 5),
        ("", None),
        ("wait", None),
        ("wait=", None),
        ("wait=x", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=²", None),
        ("wait=x, wait=5", None),
        ("waiting=5", None),
        ("respond-async", None),
        ('note="wait=5', None),
        (',,;="', None),
    ],
)
def test_the_prefer_header_is_read_as_rfc_7240_says(header, seconds):
    assert requested_wait(header) == seconds


def ask(person, video, prefer: str, **headers):
    return person.client.get(f"/api/v1/videos/{video.pk}", HTTP_PREFER=prefer, **headers)


# ── In the thread of a plain server


@pytest.mark.django_db
class TestThread:
    def test_a_wait_for_an_ended_video_is_answered_at_once(self, owner):
        answer = ask(owner, make_video(owner, "completed"), "wait=60")
        assert (data_of(answer)["status"], answer["Preference-Applied"]) == ("completed", "wait=60")

    def test_a_wait_of_zero_seconds_is_answered_at_once(self, owner):
        answer = ask(owner, make_video(owner), "wait=0")
        assert (data_of(answer)["status"], answer["Preference-Applied"]) == ("queued", "wait=0")

    def test_a_wait_of_more_than_a_minute_counts_as_a_minute(self, owner):
        assert ask(owner, make_video(owner, "failed"), "wait=3600")["Preference-Applied"] == "wait=60"

    def test_a_wait_that_runs_out_shows_the_video_as_it_is(self, owner):
        started = time.monotonic()
        answer = ask(owner, make_video(owner), "wait=1")
        assert (data_of(answer)["status"], answer["Preference-Applied"]) == ("queued", "wait=1")
        assert time.monotonic() - started >= 1

    @pytest.mark.parametrize("prefer", ["wait=x", "respond-async"])
    def test_a_preference_other_than_wait_is_ignored(self, owner, prefer):
        assert "Preference-Applied" not in ask(owner, make_video(owner), prefer)

    def test_a_wait_is_answered_at_once_when_no_thread_is_free(self, owner, monkeypatch):
        monkeypatch.setitem(hub._waiting, "threads", threading.BoundedSemaphore(1))
        with hub._waiting["threads"]:
            answer = ask(owner, make_video(owner), "wait=60")
        assert (data_of(answer)["status"], "Preference-Applied" in answer) == ("queued", False)

    def test_a_thread_is_free_again_after_a_wait(self, owner, settings, monkeypatch):
        settings.WAITING_THREADS = 1
        monkeypatch.setattr(hub, "_waiting", {})
        video = make_video(owner)
        applied = [ask(owner, video, "wait=1")["Preference-Applied"] for _ in range(2)]
        assert applied == ["wait=1", "wait=1"]

    def test_a_wait_for_another_accounts_video_is_a_404_at_once(self, owner, outsider):
        assert refusal_of(ask(outsider, make_video(owner), "wait=60")) == (404, "not_found")

    def test_an_unchanged_video_is_a_304_after_a_wait(self, owner):
        video = make_video(owner, "completed")
        etag = ask(owner, video, "wait=1")["ETag"]
        answer = ask(owner, video, "wait=1", HTTP_IF_NONE_MATCH=etag)
        assert (answer.status_code, answer["Preference-Applied"]) == (304, "wait=1")


# ── Under ASGI, in a real process


@pytest.fixture(scope="module")
def web(django_db_setup, tmp_path_factory):
    environment = {"STREAMS_PER_ACCOUNT": "50", "LOG_LEVEL": "WARNING"}
    with WebProcess(tmp_path_factory.mktemp("web"), interface="asginl", threads=2, **environment) as process:
        yield process.start()


@pytest.fixture
def client(web, owner):
    headers = {"Authorization": f"Bearer {owner.tokens.access_token}"}
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(base_url=f"{web.url}/api/v1/", headers=headers, timeout=120, limits=limits) as http:
        yield http


@pytest.fixture
def clients():
    """Threads in which clients wait."""
    with ThreadPoolExecutor(60) as pool:
        yield pool


def wait_for(client, video, seconds: int, **headers: str) -> tuple[httpx.Response, float]:
    """The answer, and the time at which it came."""
    answer = client.get(f"videos/{video.pk}", headers={"Prefer": f"wait={seconds}"} | headers)
    return answer, time.monotonic()


def finish(video) -> float:
    """The time at which the video was completed."""
    assert fresh(video).move(Status.STORING, reason="test", rendered_at=timezone.now(), due_at=seconds_from_now(60))
    assert settlement.complete_video(fresh(video), duration=Decimal("4.5"))
    return time.monotonic()


@pytest.mark.slow
@pytest.mark.crash
@pytest.mark.django_db(transaction=True)
class TestLive:
    def test_a_wait_is_answered_as_soon_as_the_video_is_done(self, client, clients, owner):
        video = make_video(owner, "rendering")
        asked_at = time.monotonic()
        waiting = clients.submit(wait_for, client, video, 60)
        time.sleep(1)
        done_at = finish(video)
        answer, came_at = waiting.result(90)
        data = answer.json()["data"]
        assert (data["status"], data["progress_percent"]) == ("completed", 100)
        assert answer.headers["Preference-Applied"] == "wait=60"
        assert asked_at < done_at < came_at < asked_at + 60

    def test_the_answer_after_a_wait_is_that_of_a_plain_request(self, client, owner):
        video = make_video(owner, "completed")
        plain, waited = client.get(f"videos/{video.pk}"), wait_for(client, video, 5)[0]
        names = ("etag", "cache-control", "content-type", "content-length")
        assert [waited.headers[name] for name in names] == [plain.headers[name] for name in names]

    def test_a_wait_that_runs_out_shows_the_video_as_it_is(self, client, owner):
        video, started = make_video(owner), time.monotonic()
        answer, came_at = wait_for(client, video, 1, **{"X-Request-Id": "mine"})
        assert came_at - started >= 1
        assert (answer.json()["data"]["status"], answer.headers["Preference-Applied"]) == ("queued", "wait=1")
        assert answer.headers["X-Request-Id"] == answer.json()["meta"]["request_id"] == "mine"
        assert int(answer.headers["Content-Length"]) == len(answer.content)

    def test_a_video_deleted_during_a_wait_is_a_404(self, client, clients, owner):
        video = make_video(owner, "draft")
        waiting = clients.submit(wait_for, client, video, 60)
        time.sleep(1)
        deletion.delete_video(fresh(video))
        answer, _ = waiting.result(90)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
        assert answer.headers["X-Request-Id"] == answer.json()["meta"]["request_id"]

    def test_fifty_waiting_clients_are_answered_and_hold_up_no_other(self, web, client, clients, owner, avatar):
        videos = [make_video(owner, avatar=avatar, script="Hi.") for _ in range(5)]
        asked_at = time.monotonic()
        asked = [clients.submit(wait_for, client, videos[number % 5], 60) for number in range(60)]
        # Ten more than an account may have: those are answered at once, the others wait.
        wait_until(lambda: sum(each.done() for each in asked) == 10)
        waiting = [each for each in asked if not each.done()]
        httpx.get(f"{web.url}/healthz", timeout=60).raise_for_status()
        client.get(f"videos/{videos[0].pk}").raise_for_status()
        assert not any(each.done() for each in waiting)
        for video in videos:
            video_actions.cancel_by_client(fresh(video))
        answers = [each.result(90) for each in waiting]
        assert [answer.json()["data"]["status"] for answer, _ in answers] == ["canceled"] * 50
        assert max(came_at for _, came_at in answers) < asked_at + 60
        assert ["Preference-Applied" in each.result()[0].headers for each in asked].count(False) == 10
