"""Checks offline that the locks fit the requirements files: `python scripts/check_locks.py [FOLDER]`.

Prints what is missing or outside its range, and exits 1. `make lock` writes the locks anew.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

PIN = re.compile(r"^(?P<name>[\w.\-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
DIRECT = re.compile(r"^\s+#.*-r (?P<file>\S+)$")
Direct = dict[str, set[NormalizedName]]


def requirements_of(file: Path) -> list[Requirement]:
    lines = (line.partition(" #")[0].strip() for line in file.read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def read_lock(file: Path) -> tuple[dict[NormalizedName, str], Direct]:
    pins: dict[NormalizedName, str] = {}
    direct: Direct = {}
    name = canonicalize_name("")
    for line in file.read_text().splitlines():
        if found := PIN.match(line):
            name = canonicalize_name(found["name"])
            pins[name] = found["version"]
        elif found := DIRECT.match(line):
            direct.setdefault(found["file"], set()).add(name)
    return pins, direct


def misfits(requirements: Path, lock: Path) -> Iterator[str]:
    pins, direct = read_lock(lock)
    wanted = {canonicalize_name(each.name): each for each in requirements_of(requirements)}
    for name, each in wanted.items():
        if name not in pins:
            yield f"{lock.name} lacks {each} of {requirements.name}"
        elif not each.specifier.contains(pins[name], prereleases=True):
            yield f"{lock.name} has {name} {pins[name]}, and {requirements.name} asks for {each}"
    for name in sorted(direct.get(requirements.name, set()) - wanted.keys()):
        yield f"{lock.name} has {name}, which {requirements.name} no longer asks for"


def differences(production: Path, development: Path) -> Iterator[str]:
    here, there = read_lock(production)[0], read_lock(development)[0]
    for name, version in here.items():
        if there.get(name) != version:
            yield f"{production.name} has {name} {version}, {development.name} {there.get(name, 'does not have it')}"


def check(folder: Path) -> list[str]:
    production, optional, development = (folder / f"requirements{part}.lock" for part in ("", "-observability", "-dev"))
    return [
        *misfits(folder / "requirements.txt", production),
        *misfits(folder / "requirements-observability.txt", optional),
        *misfits(folder / "requirements-dev.txt", development),
        *differences(production, development),
        *differences(optional, development),
    ]


if __name__ == "__main__":
    found = check(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).resolve().parents[1])
    print("\n".join([*found, "Run `make lock`."] if found else ["The locks fit the requirements files."]))
    sys.exit(bool(found))
