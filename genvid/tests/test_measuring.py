"""Coverage by probes: the code that a process of the tests has run is counted, however it ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEASURING = ROOT / "genvid/tests/measuring"
MEASURED, LATER = "genvid/redaction.py", "genvid/configuration/__init__.py"
IMPORTING = "import os, signal, sys; sys.path.insert(0, {root!r}); import genvid.redaction; {ending}"
FORKING = "pid = os.fork(); pid or __import__('genvid.configuration'); pid or os._exit(3); os.waitpid(pid, 0)"


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    folder.mkdir()
    return folder


def run(parts: Path, ending: str = "", **environment: str) -> int:
    command = [sys.executable, "-c", IMPORTING.format(root=str(ROOT), ending=ending)]
    told = {"GENVID_COVERAGE": str(parts), "PYTHONPATH": str(MEASURING), **environment}
    return subprocess.run(command, env=os.environ | told, cwd=parts.parent, check=False).returncode


def report(parts: Path, floor: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(MEASURING / "branches.py"), str(parts), floor]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)


def files_in(parts: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in parts.iterdir()]


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("", 0),
        ("sys.exit(5)", 5),
        ("os._exit(6)", 6),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("raise SystemExit(7)", 7),
    ],
)
def test_a_process_writes_what_it_ran_however_it_ends_and_ends_as_before(parts, ending, code):
    assert run(parts, ending) == code
    assert [files[MEASURED][0] != [] for files in files_in(parts)] == [True]


def test_a_forked_process_writes_a_part_of_its_own(parts):
    assert run(parts, FORKING) == 0
    assert sorted(LATER in files for files in files_in(parts)) == [False, True]


def test_a_process_without_a_coverage_folder_writes_nothing(parts):
    assert run(parts, GENVID_COVERAGE="") == 0
    assert files_in(parts) == []


def test_a_process_without_a_module_of_ours_writes_nothing(parts):
    command = [sys.executable, "-c", "import json"]
    told = {"GENVID_COVERAGE": str(parts), "PYTHONPATH": str(MEASURING)}
    subprocess.run(command, env=os.environ | told, cwd=parts, check=True)
    assert files_in(parts) == []


def test_a_run_below_its_floor_fails_and_files_that_nobody_imported_count(parts):
    run(parts)
    fine, bad = report(parts, "0"), report(parts, "50")
    assert (fine.returncode, bad.returncode) == (0, 1)
    assert bad.stdout.startswith("coverage: ")
    assert 0 < float(bad.stdout.split()[1]) < 50
    missing = (parts.parent / "missing.txt").read_text()
    assert "billing/credits.py" in missing
    assert "/tests/" not in missing
    assert "<class " in (parts.parent / "coverage.xml").read_text()
