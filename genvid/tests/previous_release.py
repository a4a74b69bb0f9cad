"""The release before this code: what docs/releases.md names, taken from the history, run by the packages of today."""

import re
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from genvid.tests.site import ROOT, EmbeddedSite

ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| \d{4}-\d\d-\d\d \| ([0-9a-f]{7,40}) \|", re.MULTILINE)


class NoHistory(Exception):
    """The folder has no commit of the release: a shallow clone, or no repository at all."""


def commit_of_previous_release() -> str:
    """The newest release whose commit is known; the one that is being made does not know its own yet."""
    found = ROW.search((ROOT / "docs" / "releases.md").read_text())
    assert found, "docs/releases.md names no release"
    return found[2]


def unpack(folder: Path) -> Path:
    """The code of the previous release in `folder`. Raises NoHistory."""
    commit = commit_of_previous_release()
    try:
        done = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = getattr(error, "stderr", b"").decode(errors="replace").strip() or str(error)
        raise NoHistory(f"The previous release, {commit}, is not in the history of this clone: {why}") from error
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


class PreviousSite(EmbeddedSite):
    """`make run` of the previous release: web, worker with beat, and the sandbox for HeyGen and Stripe."""

    def __init__(self, root: Path, var: Path, **environment: str) -> None:
        super().__init__(var, **environment)
        self.root = root
