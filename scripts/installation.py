"""The installation of `make run`: the folder GENVID_VAR with its secrets, and who may use it."""

import fcntl
import os
import secrets
import sys
from pathlib import Path
from typing import IO

import environ

ROOT = Path(__file__).resolve().parent.parent
MODE = "GENVID_EMBEDDED=1"


class CannotStart(Exception):
    pass


def read_environment() -> Path:
    """Load the environment in the order of the settings, writing the secrets if there are none; return GENVID_VAR."""
    environ.Env.read_env(ROOT / ".env")
    var = Path(os.environ.get("GENVID_VAR") or ROOT / "var").resolve()
    try:
        var.mkdir(parents=True, exist_ok=True)
        write_secrets(var / ".env")
    except OSError as error:
        raise CannotStart(f"{var} cannot be used: {error.strerror}. Mend that, or set GENVID_VAR.") from None
    environ.Env.read_env(var / ".env")
    os.environ["GENVID_VAR"] = str(var)
    return var


def write_secrets(path: Path) -> None:
    """Random keys for this installation, in a file that only its owner reads. An existing file is kept."""
    if path.exists():
        _add_mode(path)
        return
    values = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SALT_KEY": secrets.token_urlsafe(32),
        "HEYGEN_API_KEY": f"sandbox-{secrets.token_urlsafe(24)}",
        "DEMO_ADMIN_EMAIL": "admin@example.com",
        "DEMO_ADMIN_PASSWORD": secrets.token_urlsafe(12),
    }
    first = "# Made by `make run`. Whatever is set in the environment or in .env goes before it."
    lines = [first, MODE, *(f"{name}={value}" for name, value in values.items())]
    write_atomically(path, "\n".join([*lines, ""]))
    print(f"genvid: wrote new secrets to {path}", flush=True)


def _add_mode(path: Path) -> None:
    """Files of earlier versions lack it: without it, manage.py would call the real providers."""
    text = path.read_text()
    if "GENVID_EMBEDDED=" not in text:
        write_atomically(path, f"{text.rstrip()}\n{MODE}\n")


def write_atomically(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def lock_installation(var: Path) -> IO[str]:
    lock = (var / "run.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise CannotStart(f"already running on {var}. Stop it, or set GENVID_VAR to another folder.") from None
    return lock


def main() -> int:
    environ.Env.read_env(ROOT / ".env")
    if os.environ.get("SECRET_KEY"):
        return 0
    try:
        read_environment()
    except CannotStart as error:
        print(f"genvid: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
