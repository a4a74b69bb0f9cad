"""genvid sells AI-avatar videos. This package is the base that every app stands on, and the composition root."""

__version__ = "0.9.0"
"""SemVer. pyproject.toml repeats it, and the test of the releases holds both to CHANGELOG.md and docs/releases.md."""
