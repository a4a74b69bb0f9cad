"""Structured logs: one line an event, JSON in production, coloured text on a terminal.

Every line carries what is bound to the context: `request_id`, and `account_id` and `video_id` where they are known.
"""

import logging.config
import sys
from typing import Any

import structlog

SHARED_PROCESSORS: list[Any] = [
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


def configure_logging(style: str, level: str) -> None:
    """Send structlog's and the standard library's records down one pipe. `style` is "json" or "console"."""
    structlog.configure(
        processors=[*SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(_handlers(style, level))


def _handlers(style: str, level: str) -> dict[str, Any]:
    # Plain tracebacks: those with local variables would write passwords and keys into the log.
    json_tail = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
    tail = json_tail if style == "json" else [console]
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
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        # Ticks every second would drown what matters; django.request repeats what request_finished says.
        "loggers": {name: {"level": "WARNING"} for name in QUIET} | {"django.request": {"level": "ERROR"}},
    }
