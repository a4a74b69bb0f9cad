"""Structured logs: one line an event, JSON in production, coloured text on a terminal.

Every line carries the ids of `genvid.request_context`: the request, its caller, and the video where one is worked on.
"""

import logging.config
import sys
from collections.abc import Callable
from typing import Any

import structlog

from genvid.redaction import protect_access_log, redact_event
from genvid.request_context import add_to_log_line

SHARED_PROCESSORS: list[Any] = [
    add_to_log_line,
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


QUIET = (
    "celery.beat",
    "celery.worker.strategy",
    "celery.app.trace",
    "django_structlog.celery",
    "kombu",
    "urllib3",
    "botocore",
    "stripe",
    "djstripe",
)


def configure_logging(style: str, level: str, *, split: bool = False) -> None:
    """Send structlog's and the standard library's records down one pipe. `style` is "json" or "console".

    With `split`, records below a warning go to standard output and the others to standard error, instead of all there.
    """
    structlog.configure(
        processors=[*SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handlers = _split_handlers() if split else {"stderr": _stream_handler()}
    logging.config.dictConfig(_configuration(style, level, handlers))
    protect_access_log()


def below_warning(record: logging.LogRecord) -> bool:
    return record.levelno < logging.WARNING


def has_traceback(record: logging.LogRecord) -> bool:
    """Of django.request: a response without an exception is in the line `request_finished` already."""
    return bool(record.exc_info)


def is_no_expired_tick(record: logging.LogRecord) -> bool:
    """A tick of the schedule that waited longer than its period is dropped on purpose: the next one does its work."""
    event = record.msg if isinstance(record.msg, dict) else {}
    return not (event.get("event") == "task_revoked" and event.get("expired"))


def _stream_handler(**options: Any) -> dict[str, Any]:
    return {"class": "logging.StreamHandler", "formatter": "line", **options}


def _split_handlers() -> dict[str, Any]:
    stdout = _stream_handler(stream="ext://sys.stdout", filters=["below_warning"])
    return {"stdout": stdout, "stderr": _stream_handler(level="WARNING")}


def _configuration(style: str, level: str, handlers: dict[str, Any]) -> dict[str, Any]:
    # Plain tracebacks: those with local variables would write passwords and keys into the log.
    json_tail = [structlog.processors.format_exc_info, redact_event, structlog.processors.JSONRenderer(default=str)]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
    tail = json_tail if style == "json" else [redact_event, console]
    quiet: dict[str, Any] = {name: {"level": "WARNING"} for name in QUIET}
    filtered = {
        "django.request": {"level": "ERROR", "filters": ["has_traceback"]},
        "django_structlog.celery.receivers": {"filters": ["is_no_expired_tick"]},
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail],
                "foreign_pre_chain": SHARED_PROCESSORS,
            }
        },
        "filters": {each.__name__: {"()": _filter, "wanted": each} for each in FILTERS},
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": level},
        # Ticks every second would drown what matters.
        "loggers": quiet | filtered,
    }


def _filter(wanted: Callable[[logging.LogRecord], bool]) -> Callable[[logging.LogRecord], bool]:
    return wanted


FILTERS = (below_warning, has_traceback, is_no_expired_tick)
