"""The hooks of .pre-commit-config.yaml, run by pre-commit itself in a small repository; and the check of the locks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LOCKS = {
    "requirements.txt": "django>=5.2,<5.3  # the framework\n",
    "requirements.lock": "django==5.2.1 \\\n    # via -r requirements.txt\n",
    "requirements-observability.txt": "sentry-sdk>=2\n",
    "requirements-observability.lock": (
        "sentry-sdk==2.1.0 \\\n    # via -r requirements-observability.txt\nurllib3==2.5.0 \\\n    # via sentry-sdk\n"
    ),
    "requirements-dev.txt": "-r requirements.txt\n-r requirements-observability.txt\npytest>=8\n",
    "requirements-dev.lock": (
        "sentry-sdk==2.1.0 \\\n    # via -r requirements-observability.txt\nurllib3==2.5.0 \\\n    # via sentry-sdk\n"
        "django==5.2.1 \\\n    # via\n    #   -c requirements.lock\n    #   -r requirements.txt\n"
        "pytest==9.0.1 \\\n    # via -r requirements-dev.txt\n"
    ),
}
HIGH_IMPORTS_LOW = """[importlinter]
root_package = house

[importlinter:contract:layers]
name = Layers
type = layers
layers =
    house.high
    house.low
"""

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not on this machine")


class Repository:
    """A git repository with the project's hooks and tools only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PRE_COMMIT_HOME": str(folder / "cache")}
        self.run("git", "init", "--quiet")
        for name in (".pre-commit-config.yaml", "pyproject.toml", "scripts/check_locks.py"):
            self.write(name, (ROOT / name).read_text())
        (folder / ".venv").symlink_to(sys.prefix)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)
        self.run("git", "add", name)

    def hook(self, hook: str) -> subprocess.CompletedProcess[str]:
        """The hooks' result for a commit of everything."""
        return self.run(sys.executable, "-m", "pre_commit", "run", hook)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def check_locks(folder: Path, **changed: str) -> tuple[int, list[str]]:
    """Exit code and lines for LOCKS with some files changed; `_` stands for `-` or `.` as their names need."""
    for name, text in LOCKS.items():
        (folder / name).write_text(changed.get(name.replace("-", "_").replace(".", "_"), text))
    command = [sys.executable, ROOT / "scripts" / "check_locks.py", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def test_the_ruff_hook_refuses_an_undefined_name(repository: Repository) -> None:
    repository.write("module.py", "total = undefined\n")
    done = repository.hook("ruff-check")
    assert (done.returncode, "F821 Undefined name `undefined`" in done.stdout) == (1, True)


def test_the_format_hook_stops_the_commit_and_formats_the_file(repository: Repository) -> None:
    repository.write("module.py", "total = [1,2]\n")
    assert repository.hook("ruff-format").returncode == 1
    assert (repository.folder / "module.py").read_text() == "total = [1, 2]\n"


def test_the_import_hook_refuses_an_import_upwards(repository: Repository) -> None:
    repository.write(".importlinter", HIGH_IMPORTS_LOW)
    repository.write("house/__init__.py", "")
    repository.write("house/high.py", "")
    repository.write("house/low.py", "from house import high\n")
    done = repository.hook("import-linter")
    assert (done.returncode, "house.low is not allowed to import house.high" in done.stdout) == (1, True)


def test_the_lock_hook_refuses_a_requirement_without_a_lock(repository: Repository) -> None:
    for name, text in LOCKS.items():
        repository.write(name, text)
    assert repository.hook("locks").returncode == 0
    repository.write("requirements.txt", "django>=5.2\nredis\n")
    done = repository.hook("locks")
    assert (done.returncode, "requirements.lock lacks redis of requirements.txt" in done.stdout) == (1, True)


def test_every_hook_passes_what_is_in_order(repository: Repository) -> None:
    for name, text in LOCKS.items():
        repository.write(name, text)
    repository.write(".importlinter", HIGH_IMPORTS_LOW)
    repository.write("house/__init__.py", "")
    repository.write("house/high.py", 'from house import low\n\n__all__ = ["low"]\n')
    repository.write("house/low.py", "")
    done = repository.run(sys.executable, "-m", "pre_commit", "run")
    assert (done.returncode, [line.endswith("Passed") for line in done.stdout.splitlines()]) == (0, [True] * 4)


def test_the_locks_of_the_project_fit_its_requirements() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "check_locks.py"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "The locks fit the requirements files.\n")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"requirements_txt": "Django>=5.3\n"},
            "requirements.lock has django 5.2.1, and requirements.txt asks for Django>=5.3",
        ),
        (
            {"requirements_dev_txt": "pytest\nresponses\n"},
            "requirements-dev.lock lacks responses of requirements-dev.txt",
        ),
        (
            {"requirements_dev_txt": "-r requirements.txt\n"},
            "requirements-dev.lock has pytest, which requirements-dev.txt no longer asks for",
        ),
        (
            {"requirements_lock": "django==5.2.2\n"},
            "requirements.lock has django 5.2.2, requirements-dev.lock 5.2.1",
        ),
        (
            {"requirements_observability_txt": "sentry-sdk\nstructlog\n"},
            "requirements-observability.lock lacks structlog of requirements-observability.txt",
        ),
        (
            {"requirements_observability_lock": LOCKS["requirements-observability.lock"].replace("2.5.0", "2.4.0")},
            "requirements-observability.lock has urllib3 2.4.0, requirements-dev.lock 2.5.0",
        ),
    ],
    ids=[
        "out of range",
        "missing",
        "no longer asked for",
        "another version in development",
        "optional",
        "another optional version",
    ],
)
def test_a_lock_that_does_not_fit_is_refused_with_its_reason(
    tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    assert check_locks(tmp_path, **changed) == (1, [said, "Run `make lock`."])


def test_locks_that_fit_pass(tmp_path: Path) -> None:
    assert check_locks(tmp_path) == (0, ["The locks fit the requirements files."])
