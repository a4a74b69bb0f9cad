"""Finds the container engine of this machine."""

import shutil
import subprocess

ENGINES = ("docker", "podman")
ANSWER_SECONDS = 20


def find_engine() -> str | None:
    """A client without an engine behind it does not count."""
    return next((name for name in ENGINES if shutil.which(name) and _answers([name, "info"])), None)


def has_compose(engine: str) -> bool:
    return _answers([engine, "compose", "version"])


def _answers(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=ANSWER_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
