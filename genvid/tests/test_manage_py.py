"""manage.py where something is missing: one line, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(interpreter: list[str], *words: str, var: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*interpreter, str(ROOT / "manage.py"), *words],
        env={"PATH": os.environ["PATH"], "GENVID_VAR": str(var)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_without_a_secret_key_a_command_says_in_one_line_where_to_get_one(tmp_path):
    done = run([sys.executable], "check_ledger", var=tmp_path)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert line.startswith("genvid: SECRET_KEY is not set: ")
    assert "`make run` writes one" in line


def test_without_its_packages_manage_py_names_the_interpreter_to_use(tmp_path):
    done = run([sys.executable, "-S", "-E"], "check_ledger", var=tmp_path)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert line.startswith("manage.py: django is not installed for ")
    assert ".venv/bin/python manage.py" in line


def test_help_of_manage_py_needs_no_settings(tmp_path):
    done = run([sys.executable], "--help", var=tmp_path)
    assert (done.returncode, "Available subcommands:" in done.stdout) == (0, True), done.stderr
