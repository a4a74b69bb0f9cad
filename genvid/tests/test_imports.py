"""That no module imports itself by way of others, and that imports stand at the top of a file or say why not."""

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

PACKAGES = ("genvid", "accounts", "avatars", "billing", "videos")
ROOT = Path(__file__).resolve().parents[2]
LATE_IMPORT = re.compile(r"# noqa: [A-Z0-9, ]*PLC0415(?P<reason> - \w+.*)?")
NOT_SOURCE = {"tests", "migrations", "djstripe_migrations"}


def check_for_circles(*packages: str) -> None:
    """Imports in functions and under TYPE_CHECKING count; tests and migrations do not. Raises CycleError."""
    graph = grimp.build_graph(*packages, exclude_type_checking_imports=False, cache_dir=None)
    source = {module for module in graph.modules if NOT_SOURCE.isdisjoint(module.split("."))}
    TopologicalSorter({module: graph.find_modules_directly_imported_by(module) & source for module in source}).prepare()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A package of two modules: `low` has the text of the parameter, and `high` imports `low`."""
    folder = tmp_path / "circled"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "high.py").write_text("from circled import low\n")
    (folder / "low.py").write_text(request.param)
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder.name


def test_no_import_circle_exists() -> None:
    check_for_circles(*PACKAGES)


@pytest.mark.parametrize(
    "package",
    [
        "from circled import high\n",
        "def late():\n    from circled import high\n",
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from circled import high\n",
    ],
    ids=["top", "function", "type_checking"],
    indirect=True,
)
def test_an_import_circle_is_found_wherever_the_import_stands(package: str) -> None:
    with pytest.raises(CycleError) as found:
        check_for_circles(package)
    assert set(found.value.args[1]) == {"circled.high", "circled.low"}


@pytest.mark.parametrize("package", ["import os\n"], indirect=True)
def test_a_package_without_a_circle_passes(package: str) -> None:
    check_for_circles(package)


def test_every_late_import_says_why() -> None:
    """Ruff refuses imports inside functions (PLC0415); each exception has its reason behind a dash."""
    files = [
        *ROOT.glob("*.py"),
        *(path for name in (*PACKAGES, "bench", "scripts") for path in ROOT.glob(f"{name}/**/*.py")),
    ]
    found = {
        f"{path}:{match[0]}": match["reason"] for path in files for match in LATE_IMPORT.finditer(path.read_text())
    }
    assert found
    assert [place for place, reason in found.items() if reason is None] == []
