"""scripts/part_log.py: the rotating log of a part of `make run`."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from genvid.tests.scripts import load_script

part_log = load_script("part_log")


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def make_log(tmp_path, failures) -> Iterator[Callable[..., logging.Handler]]:
    with ExitStack() as stack:

        def make(**options: int) -> logging.Handler:
            log = part_log.PartLog(tmp_path / "web.log", failures.append, **options)
            # What a full disk did not take makes closing fail too.
            stack.enter_context(suppress(OSError))
            stack.callback(log.close)
            return log

        yield make


def test_a_part_log_has_its_lines_in_order(make_log, tmp_path, failures):
    log = make_log()
    log.add("100 % of it")
    log.add("the second")
    assert ((tmp_path / "web.log").read_text(), failures) == ("100 % of it\nthe second\n", [])


def test_a_full_log_file_is_rotated(make_log, tmp_path):
    log = make_log(max_bytes=100)
    for number in range(1000):
        log.add(f"line {number}")
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"web.log", "web.log.1", "web.log.2"}
    assert max(sizes.values()) <= 100
    assert (tmp_path / "web.log").read_text().endswith("line 999\n")


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_is_reported_once_and_stops_no_part(make_log, tmp_path, failures):
    (tmp_path / "web.log").symlink_to("/dev/full")
    log = make_log()
    log.add("one")
    log.add("two")
    assert failures == [f"{tmp_path}/web.log cannot be written ([Errno 28] No space left on device): lines are lost"]


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_run_does_not_begin_with_a_log_that_cannot_be_written(tmp_path):
    (tmp_path / "web.log").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        part_log.open_log(tmp_path, "web")


def test_a_run_begins_with_a_line_of_its_own(tmp_path):
    part_log.open_log(Path(tmp_path), "web")
    assert (tmp_path / "web.log").read_text().endswith(f"Z {part_log.STARTS} web\n")
