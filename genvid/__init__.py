"""genvid sells AI-avatar videos. This package is the base of every app, and the composition root."""

__version__ = "0.9.0"
"""SemVer. A test holds it to pyproject.toml, CHANGELOG.md and docs/releases.md."""
