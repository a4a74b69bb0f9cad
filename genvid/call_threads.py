"""Threads of this process for calls to the outside that may wait beside each other. They must touch no database."""

import os
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cache, partial
from itertools import islice
from typing import Generic, TypeVar

MAX_THREADS = 32
Item = TypeVar("Item")
Result = TypeVar("Result")


class _Threads:
    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="calls")
        self.free = threading.Semaphore(MAX_THREADS)


@cache
def _threads_of(_pid: int) -> _Threads:
    """By process id: after a fork the parent's threads do not run."""
    return _Threads()


class Calls(Generic[Item, Result]):
    """Runs `call` for items, each in a thread of its own, at once: an item waits before it is started, never after."""

    def __init__(self, call: Callable[[Item], Result]) -> None:
        self._call, self._threads = call, _threads_of(os.getpid())
        self._running: set[Future[Result]] = set()

    def __bool__(self) -> bool:
        return bool(self._running)

    def reserve(self, most: int) -> int:
        """Reserve up to `most` threads, and wait for one where nothing runs here yet."""
        free, count = self._threads.free, 0
        if most and not self._running:
            free.acquire()
            count = 1
        while count < most and free.acquire(blocking=False):
            count += 1
        return count

    def start(self, take: Callable[[], Sequence[Item]], reserved: int) -> None:
        """Start what `take` returns, at most as many as were reserved. The other threads are given back."""
        items: Sequence[Item] = ()
        try:
            items = take()
        finally:
            for _ in range(reserved - len(items)):
                self._threads.free.release()
        for item in items:
            self._running.add(self._threads.executor.submit(copy_context().run, self._made, item))

    def _made(self, item: Item) -> Result:
        """Gives the thread back before the future is done: whoever waits for the result finds it free."""
        try:
            return self._call(item)
        finally:
            self._threads.free.release()

    def finished(self) -> list[Result]:
        """Wait until some have ended; return what they returned. Raises what one of them raised."""
        done, self._running = wait(self._running, return_when=FIRST_COMPLETED)
        return [future.result() for future in done]

    def abandon(self) -> None:
        """Wait for what still runs, whose results nobody wants any more."""
        wait(self._running)
        self._running = set()


def call_each(call: Callable[[Item], Result], items: Sequence[Item]) -> Generator[Result, None, None]:
    """The results in the order in which the calls end. A single call is made in the caller's thread.

    Raises what one of them raised, when none runs any more.
    """
    if len(items) == 1:
        yield call(items[0])
        return
    calls, left = Calls(call), iter(items)
    count = len(items)
    try:
        while count or calls:
            reserved = calls.reserve(count)
            count -= reserved
            calls.start(partial(list, islice(left, reserved)), reserved)
            yield from calls.finished()
    finally:
        calls.abandon()
