"""`make chaos` in short: forty videos instead of three hundred, and everything else the same."""

import os
import subprocess
import sys

import pytest

from genvid.tests.site import ROOT, clean_environment

pytestmark = [pytest.mark.crash, pytest.mark.slow]
SHORT = {"VIDEOS": "40", "ACCOUNTS": "6", "CHAOS_WORKERS": "2", "PATIENCE": "900"}
LONGEST = 3600.0


def test_a_short_storm_breaks_no_promise():
    """A failure prints the seed; the same one in SEED draws the same storm again."""
    environment = clean_environment() | SHORT | {"SEED": os.environ.get("SEED", "")}
    command = [sys.executable, "-m", "videos.tests.chaos"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as storm:
        try:
            told, _ = storm.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            storm.terminate()  # so that it takes its processes with it
            told, _ = storm.communicate()

    assert storm.returncode == 0, told[-8000:]
