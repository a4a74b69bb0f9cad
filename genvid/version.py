"""The version of this installation, in one line."""

import platform

import django

from genvid import __version__


def version_line() -> str:
    """For example `genvid 1.2.3 (Django 5.2.8, Python 3.11.7)`. Needs no settings."""
    return f"genvid {__version__} (Django {django.get_version()}, Python {platform.python_version()})"
