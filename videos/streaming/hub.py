"""Streams and waits of this process: one poller reads for all of them."""

import asyncio
import signal
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import close_old_connections, connections

from genvid.errors import Overloaded, RateLimited
from videos.enums import TERMINAL
from videos.models import Video
from videos.streaming import changes
from videos.streaming.changes import Changes, Frame, Progress

logger = structlog.get_logger(__name__)

TICK_SECONDS = 0.5
GATHER_SECONDS = 0.02
PROGRESS_SECONDS = 2.0
HEARTBEAT_SECONDS = 15.0
UNREAD_FRAMES = 50
RETRY = b"retry: 2000\n\n"
HEARTBEAT = b":\n\n"

_open: Counter[UUID] = Counter()
# Reentrant: the garbage collector may release a watcher while this thread holds the lock.
_counting = threading.RLock()
_waiting: dict[str, threading.BoundedSemaphore] = {}


def _reserve_stream(account_id: UUID) -> None:
    with _counting:
        if _open.total() >= settings.STREAMS_PER_PROCESS:
            raise Overloaded("Too many streams are open; poll, or try again shortly.", retry_after=5)
        if _open[account_id] >= settings.STREAMS_PER_ACCOUNT:
            raise RateLimited("This account has too many streams open; close some.", retry_after=5)
        _open[account_id] += 1


def _release_stream(account_id: UUID) -> None:
    with _counting:
        _open[account_id] -= 1
        if not _open[account_id]:
            del _open[account_id]


class Watcher:
    """One open stream or wait. Unread frames are queued; of progress only the latest is kept."""

    def __init__(self, account_id: UUID, video_id: UUID, seen: int | None = None) -> None:
        """`seen`: the client's last event; None to wait for the end only. Raises Overloaded, RateLimited."""
        _reserve_stream(account_id)
        # Called at the end, or by the garbage collector when the client left before the stream began.
        self.leave = weakref.finalize(self, _release_stream, account_id)
        self.video_id, self.seen = video_id, seen
        self.is_known = False
        self.is_over = False
        self._frames: deque[bytes] = deque()
        self._progress: bytes | None = None
        self._sent_progress: Progress | None = None
        self._changed = asyncio.Event()

    def send(self, frame: Frame) -> None:
        """A client with too many unread frames is disconnected: it resumes with its last event id."""
        if self.seen is None or self.is_over or frame.event_id <= self.seen:
            return
        if len(self._frames) >= UNREAD_FRAMES:
            self.end()
            return
        self.seen, self._progress = frame.event_id, None
        self._frames.append(frame.text)
        self._changed.set()
        if frame.last:
            self.end()

    def send_progress(self, progress: Progress, *, in_frame: bool) -> None:
        if not in_frame and progress != self._sent_progress and not self.is_over:
            self._progress = changes.progress_text(progress)
            self._changed.set()
        self._sent_progress = progress

    def end(self) -> None:
        self.is_over = True
        self._changed.set()

    async def read(self, seconds: float) -> bytes:
        """New frames; empty after `seconds` without any, or at the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)
        unread = [*self._frames, self._progress or b""]
        self._frames.clear()
        self._progress = None
        if not self.is_over:
            self._changed.clear()
        return b"".join(unread)


class SpeechWatcher(Watcher):
    """A wait for a speech: its id stands for a video's, and it has no events to read."""


class Hub:
    def __init__(self) -> None:
        self.watchers: dict[UUID, set[Watcher]] = {}
        self.moved_at: dict[UUID, datetime | None] = {}
        self.thread = ThreadPoolExecutor(1, "streams")
        self.poller: asyncio.Task[None] | None = None
        self.joined = asyncio.Event()
        self.progress_due = 0.0
        _end_on_signals(asyncio.get_running_loop(), self)

    @contextmanager
    def watching(self, watcher: Watcher) -> Iterator[None]:
        self.watchers.setdefault(watcher.video_id, set()).add(watcher)
        self.joined.set()
        if self.poller is None:
            self.poller = asyncio.create_task(self._poll())
        try:
            yield
        finally:
            self._leave(watcher)

    def end_all(self) -> None:
        """On shutdown the server would wait for the streams; clients reconnect by themselves."""
        for watcher in [each for group in self.watchers.values() for each in group]:
            watcher.end()

    async def in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.thread, _with_fresh_connection, call, *args)

    def _leave(self, watcher: Watcher) -> None:
        watcher.leave()
        group = self.watchers[watcher.video_id]
        group.discard(watcher)
        if not group:
            del self.watchers[watcher.video_id]
            self.moved_at.pop(watcher.video_id, None)

    async def _poll(self) -> None:
        while self.watchers:
            await self._poll_once()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.joined.wait(), TICK_SECONDS)
                await asyncio.sleep(GATHER_SECONDS)
        self.poller = None
        await self.in_thread(connections.close_all)

    async def _poll_once(self) -> None:
        """One read for all. Watchers that join meanwhile are served by the next one."""
        self.joined.clear()
        asking = {pk: frozenset(group) for pk, group in self.watchers.items()}
        await self._end_speeches({pk: asking.pop(pk) for pk in [*asking] if _is_of_speech(asking[pk])})
        if asking:
            await self._read_videos(asking)

    async def _end_speeches(self, asking: dict[UUID, frozenset[Watcher]]) -> None:
        if not asking:
            return
        try:
            ended = await self.in_thread(changes.read_ended_speeches, [*asking])
        except Exception:  # no error may end the poller: every stream would stop
            logger.exception("speech_poll_failed")
            return
        for watcher in [each for pk in ended for each in asking[pk]]:
            watcher.end()

    async def _read_videos(self, asking: dict[UUID, frozenset[Watcher]]) -> None:
        known = {pk: self.moved_at.get(pk) if _all_known(group) else None for pk, group in asking.items()}
        seen = {pk: min(ids) for pk, group in asking.items() if (ids := [w.seen for w in group if w.seen is not None])}
        moving = seen if time.monotonic() >= self.progress_due else ()
        try:
            latest = await self.in_thread(changes.read_changes, known, seen, moving)
        except Exception:  # no error may end the poller: every stream would stop
            logger.exception("stream_poll_failed")
            return
        if moving:
            self.progress_due = time.monotonic() + PROGRESS_SECONDS
        for pk, group in asking.items():
            self.moved_at[pk] = latest.moved_at.get(pk)
            for watcher in group:
                watcher.is_known = True
                _deliver(latest, watcher)
        for pk in self.moved_at.keys() - self.watchers.keys():
            del self.moved_at[pk]


def _with_fresh_connection(call: Callable[..., Any], *args: Any) -> Any:
    """Django closes old connections only around requests, and the poller's thread has none."""
    close_old_connections()
    return call(*args)


def _is_of_speech(group: frozenset[Watcher]) -> bool:
    return any(isinstance(watcher, SpeechWatcher) for watcher in group)


def _all_known(group: frozenset[Watcher]) -> bool:
    return all(watcher.is_known for watcher in group)


def _deliver(latest: Changes, watcher: Watcher) -> None:
    pk = watcher.video_id
    frames = latest.frames.get(pk, [])
    for frame in frames:
        watcher.send(frame)
    if pk in latest.progress and watcher.seen is not None:
        watcher.send_progress(latest.progress[pk], in_frame=bool(frames))
    if pk not in latest.moved_at or (watcher.seen is None and pk in latest.ended):
        watcher.end()


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def hub() -> Hub:
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


def _end_on_signals(loop: asyncio.AbstractEventLoop, running: Hub) -> None:
    """End the streams on SIGTERM: granian waits for open answers. Called beside granian's own handler."""
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)

        def handle(signum: int, frame: Any, before: Any = before) -> None:
            with suppress(RuntimeError):  # the loop is closed: no stream is open
                loop.call_soon_threadsafe(running.end_all)
            before(signum, frame)

        # Without an earlier handler the signal must still end the process.
        if callable(before) and threading.current_thread() is threading.main_thread():
            signal.signal(number, handle)


async def stream(watcher: Watcher, may_watch: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The event stream's text, until the video ends, the client loses access, or STREAM_SECONDS have passed."""
    running, ends_at = hub(), time.monotonic() + settings.STREAM_SECONDS
    asked_at = time.monotonic()
    with running.watching(watcher):
        yield RETRY
        while (left := ends_at - time.monotonic()) > 0:
            text = await watcher.read(min(left, HEARTBEAT_SECONDS))
            if watcher.is_over and not text:
                return
            if time.monotonic() - asked_at >= settings.STREAM_ACCESS_SECONDS:
                asked_at = time.monotonic()
                if not await running.in_thread(may_watch):
                    return
            yield text or HEARTBEAT


async def wait_for_end(watcher: Watcher, seconds: float) -> None:
    with hub().watching(watcher):
        await watcher.read(seconds)


def wait_in_thread(is_open: Callable[[], bool], seconds: float) -> bool:
    """`wait_for_end` for servers without a loop. False at once when too many threads wait."""
    slots = _waiting.setdefault("threads", threading.BoundedSemaphore(settings.WAITING_THREADS))
    if not slots.acquire(blocking=False):
        return False
    try:
        deadline = time.monotonic() + seconds
        while is_open() and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(TICK_SECONDS, left))
    finally:
        slots.release()
    return True


def is_being_made(video_id: UUID) -> bool:
    return Video.objects.filter(pk=video_id, deleted_at=None).exclude(status__in=TERMINAL).exists()


def full_history(video_id: UUID, seen: int) -> bytes:
    """All events so far, for servers that cannot keep a stream open: the client reconnects by itself."""
    frames = changes.read_changes({video_id: None}, {video_id: seen}).frames.get(video_id, [])
    return b"".join([RETRY, *(frame.text for frame in frames)])
