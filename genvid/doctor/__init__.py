"""Asks every neighbour of this installation whether it works, and says what to do. `manage.py doctor` prints it.

Each app adds checks in its module `doctor`, which Django finds by name: the base knows no app.
"""

from genvid.doctor import base_parts  # noqa: F401 - registers the parts of the base
from genvid.doctor.checks import Check, Finding, Level, check, failed, ok, warning
from genvid.doctor.runner import Report, examine, select

__all__ = ["Check", "Finding", "Level", "Report", "check", "examine", "failed", "ok", "select", "warning"]
