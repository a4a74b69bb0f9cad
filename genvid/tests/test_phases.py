import os

import pytest
import time_machine

from genvid.tests import phases


@pytest.fixture
def clock(monkeypatch):
    """A clock at 1000, when a run begins."""
    for name, value in {"_seconds": {}, "_begun": 1000.0, "_made": 1000.0}.items():
        monkeypatch.setattr(phases, name, value)
    with time_machine.travel(1000, tick=False) as clock:
        yield clock


def test_a_phase_inside_another_counts_only_once(clock):
    clock.shift(2)
    phases.note_collected()
    with phases.phase("database"):
        clock.shift(1)
        with phases.phase("services"):
            clock.shift(3)
    clock.shift(4)

    assert phases.line() == (
        "phases: set-up 0.0 s, imports 2.0 s, services 3.0 s, database 1.0 s, tests 4.0 s, total 10.0 s"
    )


def test_set_up_is_the_time_between_the_stamps_of_make(clock, tmp_path, monkeypatch):
    for name, moment in {"1": 990, "2": 997}.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (moment, moment))
    monkeypatch.setenv("GENVID_TEST_STAMPS", f"{tmp_path}/1 {tmp_path}/2")

    phases.note_start()
    phases.note_collected()

    assert phases.line() == (
        "phases: set-up 7.0 s, imports 3.0 s, services 0.0 s, database 0.0 s, tests 0.0 s, total 10.0 s"
    )
