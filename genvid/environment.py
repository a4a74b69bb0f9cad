"""Sources of the settings, in order: the environment, `.env` beside manage.py, the file written by `make run`."""

import os
from pathlib import Path

import environ

from genvid.configuration import ConfigurationError


def load(root: Path) -> None:
    """Load the files into the environment; earlier sources win. Raises ConfigurationError without a SECRET_KEY."""
    environ.Env.read_env(root / ".env")
    var = Path(os.environ.get("GENVID_VAR") or root / "var").resolve()
    if _has_key():
        _read_without_mode(var / ".env")
    else:
        environ.Env.read_env(var / ".env")
        environ.Env.read_env(var / "run.env")
    if not _has_key():
        raise ConfigurationError(
            f"SECRET_KEY is not set: not in the environment, {root / '.env'} or {var / '.env'}. `make run` writes one; "
            "GENVID_VAR=/its/folder points to another installation."
        )


def _read_without_mode(path: Path) -> None:
    """Reads `path` without GENVID_EMBEDDED.

    An operator with a SECRET_KEY is not the installation of `make run`: its folder must not switch production to
    embedded mode.
    """
    before = os.environ.get("GENVID_EMBEDDED")
    environ.Env.read_env(path)
    if before is None:
        os.environ.pop("GENVID_EMBEDDED", None)


def _has_key() -> bool:
    return bool(os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE"))
