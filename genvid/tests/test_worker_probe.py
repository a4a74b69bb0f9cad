"""The file by which a container engine sees that a worker lives."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genvid import worker_probe
from genvid.tests.processes import WorkerProcess
from genvid.worker_probe import PoolProbe, touch
from videos.tests.pipeline import wait_until

LONG_AGO = 1_000_000_000


class Pool:
    """Threads that are all busy until `work_off`."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[..., None], tuple[Any, ...], Callable[[Any], None]]] = []

    def apply_async(
        self, target: Callable[..., None], args: tuple[Any, ...], *, callback: Callable[[Any], None]
    ) -> None:
        self.waiting.append((target, args, callback))

    def work_off(self) -> None:
        target, args, callback = self.waiting.pop()
        callback(target(*args))


def test_a_pool_that_is_busy_is_asked_once_and_touches_the_file_when_a_thread_is_free(tmp_path: Path):
    probe, pool, file = PoolProbe(None), Pool(), tmp_path / "alive"
    for _ in range(3):
        probe.ask(pool.apply_async, file)
    assert (len(pool.waiting), file.exists()) == (1, False)
    pool.work_off()
    assert file.exists()
    probe.ask(pool.apply_async, file)
    assert len(pool.waiting) == 1


def test_a_pool_that_never_answers_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A process of it was killed."""
    probe, pool = PoolProbe(None), Pool()
    probe.ask(pool.apply_async, tmp_path / "alive")
    monkeypatch.setattr(worker_probe, "PATIENCE", -1.0)
    probe.ask(pool.apply_async, tmp_path / "alive")
    assert len(pool.waiting) == 2


def test_a_pool_that_takes_no_question_is_asked_again(tmp_path: Path):
    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("the pool is not running")

    probe, pool = PoolProbe(None), Pool()
    with pytest.raises(RuntimeError):
        probe.ask(refuse, tmp_path / "alive")
    probe.ask(pool.apply_async, tmp_path / "alive")
    assert len(pool.waiting) == 1


def test_a_file_is_touched_again(tmp_path: Path):
    file = tmp_path / "alive"
    file.touch()
    os.utime(file, (LONG_AGO, LONG_AGO))
    touch(str(file))
    assert file.stat().st_mtime > LONG_AGO


def test_a_folder_that_is_gone_stops_no_thread(tmp_path: Path):
    touch(str(tmp_path / "gone" / "alive"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.crash
@pytest.mark.django_db(transaction=True)
def test_a_real_worker_touches_the_file_again_and_again(tmp_path: Path):
    file = tmp_path / "alive"
    worker = WorkerProcess(tmp_path, queues="celery", WORKER_ALIVE_FILE=str(file)).start()
    try:
        wait_until(file.exists, seconds=900)
        os.utime(file, (LONG_AGO, LONG_AGO))
        wait_until(lambda: file.stat().st_mtime > LONG_AGO, seconds=900)
    finally:
        worker.kill9()
