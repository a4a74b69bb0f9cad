"""Where the settings come from: the environment, `.env` beside manage.py, then what `make run` wrote."""

import os
from pathlib import Path

import environ

from genvid.configuration import ConfigurationError


def load(root: Path) -> None:
    """Read the files of the installation into the environment.

    An earlier source goes before a later one. Raises ConfigurationError when none of them has a SECRET_KEY.
    """
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
    """Read `path` but for GENVID_EMBEDDED.

    Who brings a SECRET_KEY of their own is not the installation of `make run`, and a folder that it left behind must
    not switch production to the embedded mode.
    """
    before = os.environ.get("GENVID_EMBEDDED")
    environ.Env.read_env(path)
    if before is None:
        os.environ.pop("GENVID_EMBEDDED", None)


def _has_key() -> bool:
    """Whether a SECRET_KEY is given, as a variable or as a file."""
    return bool(os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE"))
