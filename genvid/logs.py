"""Structured logs: one line per event, JSON in production, coloured text on a terminal.

Every line carries the ids of `genvid.request_context`.
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
    """`request_finished` logs django.request's responses without an exception already."""
    return bool(record.exc_info)


def is_not_expired_message(record: logging.LogRecord) -> bool:
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
        "django_structlog.celery.receivers": {"filters": ["is_not_expired_message"]},
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
        # The scheduler logs every second.
        "loggers": quiet | filtered,
    }


def _filter(wanted: Callable[[logging.LogRecord], bool]) -> Callable[[logging.LogRecord], bool]:
    return wanted


FILTERS = (below_warning, has_traceback, is_not_expired_message)
