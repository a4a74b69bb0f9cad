"""Programs that some tests run: on the PATH, where Debian keeps servers, or from a wheel of requirements-dev.txt."""

import os
import shutil
import sys
from pathlib import Path

import pytest

FROM_WHEELS = ("caddy", "kubernetes-validate")
HINTS = {"nginx": "apt-get install nginx-light"} | dict.fromkeys(FROM_WHEELS, "make setup")
FOLDERS = (str(Path(sys.executable).parent), "/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")


def find(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *FOLDERS]))


def first_of(*names: str) -> tuple[str, str]:
    """Name and path of the first that this machine has. Without one the test is skipped, and fails where CI runs it."""
    for name in names:
        if path := find(name):
            return name, path
    missing = f"{' or '.join(names)} is not installed: {HINTS[names[-1]]}"
    if os.environ.get("CI") and set(names) & set(FROM_WHEELS):
        pytest.fail(missing)
    pytest.skip(missing)
