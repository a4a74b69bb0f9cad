"""The version is the same wherever it is written."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

import genvid

ROOT = Path(settings.BASE_DIR)
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
THIS = "this commit"
"""The commit of the release lacks its own id; the next commit fills it in."""
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (\d{4}-\d\d-\d\d) \| ([0-9a-f]{7,40}|this commit) \|", re.MULTILINE)
RELEASES = ROW.findall((ROOT / "docs" / "releases.md").read_text())


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def has_history() -> bool:
    return bool(shutil.which("git")) and git("rev-parse", "--is-shallow-repository").stdout.strip() == "false"


def test_pyproject_and_package_have_the_same_version() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == genvid.__version__


def test_the_newest_release_is_the_version_of_the_package() -> None:
    assert RELEASES[0][0] == genvid.__version__


def test_the_changelog_has_unreleased_changes_first_and_then_each_release_with_its_date() -> None:
    headings = re.findall(r"^## (.*)$", CHANGELOG, flags=re.MULTILINE)
    assert headings == ["Unreleased", *(f"{version} - {date}" for version, date, _ in RELEASES)]


def test_only_the_newest_release_may_lack_the_id_of_its_commit() -> None:
    assert [version for version, _, commit in RELEASES[1:] if commit == THIS] == []


@pytest.mark.skipif(not has_history(), reason="the history of this folder is not at hand")
@pytest.mark.parametrize(("version", "date", "commit"), [row for row in RELEASES if row[2] != THIS])
def test_the_commit_of_a_release_has_its_number_and_its_heading(version: str, date: str, commit: str) -> None:
    assert git("merge-base", "--is-ancestor", commit, "HEAD").returncode == 0
    assert f'\nversion = "{version}"\n' in git("show", f"{commit}:pyproject.toml").stdout
    assert f"\n## {version} - {date}\n" in git("show", f"{commit}:CHANGELOG.md").stdout


@pytest.mark.parametrize("argument", ["version", "--version"])
def test_manage_py_says_the_version_without_settings_or_pyproject(argument: str, tmp_path: Path) -> None:
    """As in the image, which has no pyproject.toml."""
    (tmp_path / "genvid").mkdir()
    for name in ("manage.py", "genvid/__init__.py", "genvid/version.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    said = subprocess.check_output([sys.executable, "manage.py", argument], cwd=tmp_path, env={}, text=True)
    python = r"3\.11\.\d+"
    assert re.fullmatch(rf"genvid {re.escape(genvid.__version__)} \(Django 5\.2(\.\d+)?, Python {python}\)\n", said)
