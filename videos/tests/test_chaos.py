"""`make chaos` with eight orders and three customers, who also make own material."""

import os
import subprocess
import sys

import pytest

from genvid.tests.site import ROOT, clean_environment

pytestmark = [pytest.mark.crash, pytest.mark.slow]
SHORT = {"VIDEOS": "8", "ACCOUNTS": "3", "CHAOS_WORKERS": "2", "PATIENCE": "900"}
TIMEOUT = 3600.0


def test_a_short_chaos_run_breaks_no_invariant():
    """A failure prints its seed; SEED in the environment repeats the run."""
    environment = clean_environment() | SHORT | {"SEED": os.environ.get("SEED", "")}
    command = [sys.executable, "-m", "videos.tests.chaos"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as chaos:
        try:
            output, _ = chaos.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            chaos.terminate()  # it then stops its processes
            output, _ = chaos.communicate()

    assert chaos.returncode == 0, output[-8000:]
