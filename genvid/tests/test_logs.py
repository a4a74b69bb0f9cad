"""Where log lines are written, in a process of its own: logging is set up once per process."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINES = """
import logging, structlog
from genvid.logs import configure_logging
configure_logging("console", "INFO", split={split})
structlog.get_logger("ours").info("told")
structlog.get_logger("ours").warning("warned")
"""


def written(program: str) -> tuple[list[str], list[str]]:
    """The events on standard output and on standard error."""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    return tuple(
        [line.split("] ")[1].split(" [")[0] for line in text.splitlines()] for text in (done.stdout, done.stderr)
    )


def test_all_log_lines_go_to_standard_error():
    assert written(LINES.format(split=False)) == ([], ["told", "warned"])


def test_with_split_only_warnings_go_to_standard_error():
    assert written(LINES.format(split=True)) == (["told"], ["warned"])


def test_a_tick_that_expired_is_no_warning_and_another_revoked_task_is():
    program = LINES.format(split=True) + (
        'log = structlog.get_logger("django_structlog.celery.receivers")\n'
        'log.warning("task_revoked", expired=True)\n'
        'log.warning("task_revoked", expired=False)\n'
    )
    assert written(program) == (["told"], ["warned", "task_revoked"])


def test_django_logs_no_refusal_again_and_every_exception():
    program = LINES.format(split=True) + (
        'log = logging.getLogger("django.request")\n'
        'log.error("Service Unavailable: /readyz")\n'
        'log.error("Internal Server Error: /", exc_info=(ValueError, None, None))\n'
    )
    assert written(program)[1][:2] == ["warned", "Internal Server Error: /"]
