"""Sends the log's lines of level error to Sentry, with the stack of their exception.

What goes out is built from a list of what may: the line's name and ids, the exception's class, file names, lines and
source. The text of an exception, the values of variables, headers, addresses and bodies stay here: they may hold
scripts, e-mail addresses and keys. The log has them, under the same request id.
"""

import logging
import re
import sys
from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import event_from_exception

from genvid import __version__
from genvid.redaction import CUT, without_tokens
from genvid.request_context import IDS

KEPT = ("event_id", "timestamp", "level", "logger", "platform", "release", "environment", "server_name", "sdk")
TAGS = (*IDS, "task", "task_id", "operation", "code", "alarm", "kind", "mail_id", "status")
TWICE_LOGGED = ("celery.app.trace", "django.request")
"""Their errors are `task_failed` and `request_failed`, too."""
REQUEST_LINE = "request_finished"
"""At level error for every 5xx; what led to it has a line of its own."""
EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")


def start(transport: Transport | None = None) -> None:
    for name in TWICE_LOGGED:
        ignore_logger(name)
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=f"genvid@{__version__}",
        transport=transport,
        # Nothing is patched and nothing collected: the log says what went wrong.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            ExcepthookIntegration(),
            DedupeIntegration(),
            AtexitIntegration(callback=_leave_silently),
        ],
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=scrub,
    )


def scrub(event: Event, hint: Hint) -> Event | None:
    """A new event with what may leave this installation; None: nothing."""
    record = hint.get("log_record")
    line = record.msg if record is not None and isinstance(record.msg, dict) else {}
    if line.get("event") == REQUEST_LINE:
        return None
    found = event.get("exception") or _exception_of(line)
    sent: dict[str, Any] = {name: event[name] for name in KEPT if name in event}  # type: ignore[literal-required]
    sent["tags"] = {name: str(line[name])[:200] for name in TAGS if line.get(name)}
    if record is not None:
        sent["message"] = _without_people(str(line.get("event") or record.msg))
    if found:
        sent["exception"] = {"values": [_without_text(each) for each in found["values"]]}
    return sent  # type: ignore[return-value]


def _exception_of(line: dict[str, Any]) -> Any:
    """structlog keeps the exception in the line until it is written."""
    given = line.get("exc_info")
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is None:
        return None
    options = sentry_sdk.get_client().options
    return event_from_exception(error, client_options=options)[0]["exception"]


def _without_text(exception: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in exception.items() if name != "value"}


def _without_people(text: str) -> str:
    return EMAIL.sub(CUT, without_tokens(text))


def _leave_silently(pending: int, timeout: float) -> None:
    """Sentry's own would print to the terminal of every command."""
