"""Event streams: content, resuming, endings, and the cost of hundreds."""

import asyncio
import os
import signal
import uuid
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from accounts.auth import session_cache
from accounts.models import Session
from genvid.errors import Overloaded, RateLimited
from genvid.tests.asserts import data_of, queries_once_warm, refusal_of
from genvid.tests.factories import make_caller, make_video
from genvid.tests.process_table import descendants
from genvid.tests.processes import WebProcess
from videos import settlement
from videos.enums import Status
from videos.lifecycle import deletion, video_actions
from videos.models import seconds_from_now
from videos.streaming import hub
from videos.streaming.changes import Frame
from videos.streaming.hub import Watcher
from videos.tests.pipeline import fresh, wait_until
from videos.tests.stream_client import StreamClient, parse

STREAM = {"HTTP_ACCEPT": "text/event-stream"}
MANY = 200


def path_of(video) -> str:
    return f"/api/v1/videos/{video.pk}/events"


def ids_of(video) -> list[int]:
    return list(video.events.order_by("pk").values_list("pk", flat=True))


def render(video) -> None:
    """Let HeyGen accept the order and finish the render."""
    video = fresh(video)
    facts = {"attempt": video.attempt + 1, "submitted_at": timezone.now(), "due_at": seconds_from_now(60)}
    assert video.move(Status.SUBMITTING, reason="test", **facts)
    assert video.move(Status.RENDERING, reason="test", due_at=seconds_from_now(60))
    assert video.move(Status.STORING, reason="test", rendered_at=timezone.now(), due_at=seconds_from_now(60))


def finish(video) -> None:
    assert settlement.complete_video(fresh(video), duration=Decimal("4.5"))


# ── Without an event loop: one answer, then the client reconnects


@pytest.fixture
def get_stream(owner):
    def get(video, last_event_id: object = None, person=owner):
        header = {} if last_event_id is None else {"HTTP_LAST_EVENT_ID": str(last_event_id)}
        return person.client.get(path_of(video), **STREAM, **header)

    return get


@pytest.mark.django_db
class TestWithoutEventLoop:
    def test_a_stream_sends_the_history_oldest_first_with_the_present_video(self, owner, get_stream):
        video = make_video(owner)
        events = parse(get_stream(video).content.decode())
        history = data_of(owner.client.get(path_of(video)))
        shown = data_of(owner.client.get(f"/api/v1/videos/{video.pk}"))
        assert [event.data for event in events] == [{**row, "video": shown} for row in reversed(history)]
        assert [(event.kind, event.id) for event in events] == [("status", pk) for pk in ids_of(video)]

    def test_a_stream_tells_the_client_to_reconnect_soon(self, owner, get_stream):
        assert get_stream(make_video(owner)).content.startswith(b"retry: 2000\n\n")

    def test_a_stream_has_its_content_type_and_is_not_cached(self, owner, get_stream):
        answer = get_stream(make_video(owner))
        names = ("Content-Type", "Cache-Control", "X-Accel-Buffering", "Vary")
        assert [answer[name] for name in names] == ["text/event-stream", "no-cache, no-transform", "no", "Accept"]

    def test_a_stream_resumes_after_the_last_event_id(self, owner, get_stream):
        video = make_video(owner, "rendering")
        ids = ids_of(video)
        assert [event.id for event in parse(get_stream(video, ids[1]).content.decode())] == ids[2:]

    @pytest.mark.parametrize("garbage", ["", "x", "-1", "0", "1.5", "9" * 40, "²"])
    def test_a_stream_with_an_invalid_last_event_id_sends_the_whole_history(self, owner, get_stream, garbage):
        video = make_video(owner)
        answer = get_stream(video, garbage.encode())
        assert [event.id for event in parse(answer.content.decode())] == ids_of(video)

    def test_a_last_event_id_of_another_video_sends_the_whole_history(self, owner, get_stream, avatar):
        video, other = make_video(owner, avatar=avatar), make_video(owner, avatar=avatar)
        assert [event.id for event in parse(get_stream(video, ids_of(other)[0]).content.decode())] == ids_of(video)

    @pytest.mark.parametrize("status", ["completed", "failed", "canceled"])
    def test_a_stream_of_an_ended_video_whose_events_are_known_is_a_204(self, owner, get_stream, status):
        video = make_video(owner, status)
        answer = get_stream(video, ids_of(video)[-1])
        assert (answer.status_code, answer.content) == (204, b"")

    def test_a_stream_of_an_ended_video_sends_the_missed_events(self, owner, get_stream):
        video = make_video(owner, "completed")
        (event,) = parse(get_stream(video, ids_of(video)[-2]).content.decode())
        assert (event.data["to_status"], event.data["video"]["progress_percent"]) == ("completed", 100)

    def test_a_stream_without_new_events_is_empty(self, owner, get_stream):
        video = make_video(owner)
        assert get_stream(video, ids_of(video)[-1]).content == b"retry: 2000\n\n"

    @pytest.mark.parametrize("accept", ["text/html, text/event-stream;q=0.5", "TEXT/EVENT-STREAM"])
    def test_event_streams_are_recognised_anywhere_in_the_accept_header(self, owner, accept):
        answer = owner.client.get(path_of(make_video(owner)), HTTP_ACCEPT=accept)
        assert answer["Content-Type"] == "text/event-stream"

    def test_another_accounts_stream_is_not_found(self, owner, outsider, get_stream):
        assert refusal_of(get_stream(make_video(owner), person=outsider)) == (404, "not_found")

    def test_a_stream_is_not_paginated(self, owner):
        answer = owner.client.get(path_of(make_video(owner)), {"limit": 2}, **STREAM)
        assert refusal_of(answer) == (400, "validation_error")

    def test_a_stream_of_a_longer_history_takes_no_more_queries(self, owner, avatar, get_stream):
        short, long = make_video(owner, "draft", avatar=avatar), make_video(owner, "submitting", avatar=avatar)
        assert [queries_once_warm(lambda video=video: get_stream(video)) for video in (short, long)] == [5, 5]


# ── A client that reads slowly


def read_all(watcher: Watcher) -> bytes:
    return asyncio.run(watcher.read(0))


def frames(count: int) -> list[Frame]:
    return [Frame(number, b"%d;" % number, last=False) for number in range(1, count + 1)]


@pytest.fixture
def watcher() -> Watcher:
    return Watcher(account_id=None, video_id=None, seen=0)


def test_only_the_latest_unread_progress_is_kept_for_a_watcher(watcher):
    for percent in range(100):
        watcher.send_progress({"progress_percent": percent}, in_frame=False)
    assert read_all(watcher).count(b"event: progress") == 1


def test_unchanged_progress_is_not_sent(watcher):
    watcher.send_progress({"progress_percent": 5}, in_frame=False)
    read_all(watcher)
    watcher.send_progress({"progress_percent": 5}, in_frame=False)
    assert read_all(watcher) == b""


def test_a_move_replaces_unread_progress(watcher):
    watcher.send_progress({"progress_percent": 5}, in_frame=False)
    watcher.send(frames(1)[0])
    assert read_all(watcher) == b"1;"


def test_a_watcher_that_reads_too_slowly_is_disconnected_and_can_resume(watcher):
    for frame in frames(hub.UNREAD_FRAMES + 10):
        watcher.send(frame)
    kept = b"".join(frame.text for frame in frames(hub.UNREAD_FRAMES))
    assert (read_all(watcher), watcher.is_over, watcher.seen) == (kept, True, hub.UNREAD_FRAMES)


def test_events_that_a_watcher_has_are_not_sent_again(watcher):
    for frame in [*frames(2), *frames(3)]:
        watcher.send(frame)
    assert read_all(watcher) == b"1;2;3;"


def test_a_watcher_counts_against_the_limit_until_it_leaves_or_is_dropped(settings):
    settings.STREAMS_PER_ACCOUNT, account = 2, uuid.uuid4()
    leaving, forgotten = Watcher(account, uuid.uuid4()), Watcher(account, uuid.uuid4())
    with pytest.raises(RateLimited):
        Watcher(account, uuid.uuid4())
    leaving.leave()
    leaving.leave()
    del forgotten
    assert account not in hub._open


def test_the_number_of_watchers_of_a_process_is_limited(settings):
    settings.STREAMS_PER_PROCESS = hub._open.total() + 1
    kept = Watcher(uuid.uuid4(), uuid.uuid4())
    with pytest.raises(Overloaded):
        Watcher(uuid.uuid4(), uuid.uuid4())
    kept.leave()


# ── Under ASGI, in a real process

live = [pytest.mark.slow, pytest.mark.crash, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def web(django_db_setup, tmp_path_factory):
    environment = {"STREAMS_PER_ACCOUNT": str(MANY), "STREAMS_PER_PROCESS": str(MANY + 1), "LOG_LEVEL": "WARNING"}
    with WebProcess(tmp_path_factory.mktemp("web"), interface="asginl", threads=2, **environment) as process:
        yield process.start()


@pytest.fixture
def open_stream(web):
    opened = []

    def start(person, video, last_event_id=None, url=web.url) -> StreamClient:
        opened.append(StreamClient(url, person, video, last_event_id).open())
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def count_threads(web: WebProcess) -> int:
    return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in [web.pid, *descendants(web.pid)])


def database_sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


class TestLive:
    pytestmark = live

    def test_a_stream_sends_every_status_from_draft_to_completed(self, web, open_stream, owner):
        video = make_video(owner)
        stream = open_stream(owner, video)
        stream.read_until_statuses("draft", "queued")
        render(video)
        stream.read_until_statuses("processing", "processing", "processing")
        finish(video)
        stream.read_to_end()
        assert (stream.status, stream.ids) == (200, ids_of(video))
        assert stream.events[-1].data["video"]["status"] == "completed"

    def test_a_stream_sends_progress_that_never_falls_between_the_moves(self, web, open_stream, owner):
        video = make_video(owner, "rendering", expected_render_seconds=600)
        stream = open_stream(owner, video)
        stream.read_until(lambda: sum(event.kind == "progress" for event in stream.events) >= 2, 900)
        finish_rendering(video)
        shown = [event.data.get("video", event.data)["progress_percent"] for event in stream.read_to_end()]
        assert shown == sorted(shown)
        assert shown[-1] == 100

    def test_a_stream_carries_the_id_of_its_request(self, web, owner):
        address = f"{web.url}{path_of(make_video(owner))}"
        headers = {"Authorization": f"Bearer {owner.tokens.access_token}", "Accept": "text/event-stream"}
        with httpx.stream("GET", address, headers=headers | {"X-Request-Id": "mine"}, timeout=60) as answer:
            assert answer.headers["X-Request-Id"] == "mine"

    def test_a_draft_that_is_deleted_ends_its_stream(self, web, open_stream, owner):
        video = make_video(owner, "draft")
        stream = open_stream(owner, video)
        stream.read_until_statuses("draft")
        deletion.delete_video(fresh(video))
        stream.read_to_end()
        assert stream.statuses == ["draft"]

    def test_a_canceled_video_ends_its_stream(self, web, open_stream, owner):
        video = make_video(owner)
        stream = open_stream(owner, video)
        stream.read_until_statuses("queued")
        video_actions.cancel_by_client(fresh(video))
        stream.read_to_end()
        assert stream.statuses == ["draft", "queued", "canceled"]

    def test_hundreds_of_streams_use_no_threads_and_delay_no_other_request(
        self, web, open_stream, owner, outsider, avatar
    ):
        videos = [make_video(owner, "rendering", avatar=avatar, script="Hi.") for _ in range(4)]
        open_stream(owner, videos[0]).read_until_statuses("processing")
        threads, sessions = count_threads(web), database_sessions()
        opened = [open_stream(owner, videos[number % 4]) for number in range(MANY - 1)]
        for stream in opened:
            stream.read_until_statuses("processing")
        assert count_threads(web) <= threads + 2
        assert database_sessions() <= sessions + 2
        headers = {"Authorization": f"Bearer {owner.tokens.access_token}"}
        httpx.get(f"{web.url}/healthz", timeout=60).raise_for_status()
        httpx.get(f"{web.url}/api/v1/videos/{videos[0].pk}", headers=headers, timeout=60).raise_for_status()
        assert not any(stream.is_over for stream in opened)

        assert (refused := open_stream(owner, videos[0])).status == 429
        assert refused.headers["retry-after"] == "5"
        theirs = make_video(outsider, avatar=avatar)
        assert open_stream(outsider, theirs).status == 200
        wait_until(lambda: open_stream(outsider, theirs).status == 503)

        for video in videos:
            finish_rendering(video)
        assert [stream.read_to_end()[-1].data["video"]["status"] for stream in opened] == ["completed"] * (MANY - 1)

    def test_a_client_that_disconnects_frees_its_stream(self, web, open_stream, owner, avatar):
        video = make_video(owner, avatar=avatar)
        opened = [open_stream(owner, video) for _ in range(20)]
        for stream in opened:
            stream.read_until_statuses("queued")
            stream.close()
        wait_until(lambda: all(open_stream(owner, video).status == 200 for _ in range(5)))

    def test_a_served_file_is_not_read_into_memory_first(self, web, owner, settings, tmp_path):
        size = 300 * 1024 * 1024
        video = make_video(owner, "completed")
        os.truncate(video.file.path, size)
        headers = {"Authorization": f"Bearer {owner.tokens.access_token}"}
        address = f"{web.url}/api/v1/videos/{video.pk}/file"
        with httpx.stream("GET", address, headers=headers, follow_redirects=True, timeout=120) as answer:
            taken = sum(len(piece) for piece in answer.iter_raw())
        os.truncate(video.file.path, 0)
        assert taken == size
        assert max(peak_memory(pid) for pid in descendants(web.pid)) < 200 * 1024 * 1024


def peak_memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def finish_rendering(video) -> None:
    assert fresh(video).move(Status.STORING, reason="test", rendered_at=timezone.now(), due_at=seconds_from_now(60))
    finish(video)


class TestServerProcess:
    pytestmark = live

    def start(self, folder, **environment) -> WebProcess:
        given = {"LOG_LEVEL": "WARNING"} | environment
        return WebProcess(folder, interface="asginl", threads=2, **given).start()

    def test_a_resumed_stream_loses_and_repeats_no_event_after_the_server_is_killed(self, tmp_path, owner):
        video = make_video(owner)
        with self.start(tmp_path) as web:
            with StreamClient(web.url, owner, video) as before:
                before.read_until_statuses("draft", "queued")
                web.kill9()
            render(video)
            web.start()
            with StreamClient(web.url, owner, video, before.ids[-1]) as resumed:
                resumed.read_until_statuses("processing", "processing", "processing")
                finish(video)
                resumed.read_to_end()
            assert before.ids + resumed.ids == ids_of(video)
            with StreamClient(web.url, owner, video, resumed.ids[-1]) as again:
                assert again.status == 204

    def test_a_server_that_stops_ends_its_streams_without_waiting(self, tmp_path, owner):
        video = make_video(owner)
        web = self.start(tmp_path)
        opened = [StreamClient(web.url, owner, video).open() for _ in range(20)]
        for stream in opened:
            stream.read_until_statuses("queued")
        web.process.send_signal(signal.SIGINT)
        assert web.process.wait(60) == 0
        ended = [stream.read_to_end()[-1].data["to_status"] for stream in opened]
        for stream in opened:
            stream.close()
        assert ended == ["queued"] * 20

    def test_a_stream_ends_when_its_client_loses_access(self, tmp_path, owner):
        video, other = make_video(owner, "rendering"), make_caller()
        theirs = make_video(other, "rendering")
        with (
            self.start(tmp_path, STREAM_ACCESS_SECONDS="0.5") as web,
            StreamClient(web.url, owner, video) as ours,
            StreamClient(web.url, other, theirs) as others,
        ):
            ours.read_until_statuses("processing")
            others.read_until_statuses("processing")
            Session.objects.filter(user=owner.user).delete()
            session_cache.forget_sessions(owner.caller.session_id)
            ours.read_to_end()
            others.read()
            assert not others.is_over

    def test_a_stream_ends_after_its_maximum_duration(self, tmp_path, owner):
        video = make_video(owner, "rendering")
        with self.start(tmp_path, STREAM_SECONDS="1") as web:
            # One that ends before a busy machine has read the moves sends none.
            for _ in range(100):
                with StreamClient(web.url, owner, video) as stream:
                    stream.read_to_end()
                if stream.statuses:
                    break
            assert stream.statuses == ["draft", "queued", "processing", "processing"]
