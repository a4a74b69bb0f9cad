"""Removes the tokens of links from logs: a signed media link has it in the path, a mailed link in the query."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

CUT = "[cut]"
# A token has colons in it, which a client may have encoded; a folder of files has none.
MEDIA_TOKEN = re.compile(r"(/media/)[^/\s\"'?:%]+(?::|%3A)[^/\s\"'?]+", re.IGNORECASE)
SECRET_PARAMETER = re.compile(
    r"([?&](?:[a-z_]*token|verify|reset|invitation|invite|erase|export|withdraw|key|code|signature|x-amz-[a-z-]+)=)"
    r"[^&\s\"']+",
    re.IGNORECASE,
)


def without_tokens(text: str) -> str:
    if "/media/" in text:
        text = MEDIA_TOKEN.sub(rf"\1{CUT}", text)
    return SECRET_PARAMETER.sub(rf"\1{CUT}", text) if "=" in text else text


def redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = without_tokens(value)
    return event


class AccessLogFilter(logging.Filter):
    """For granian's own access log, where an operator switches it on: it writes `%(path)s` and `%(query_string)s`."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, dict):
            record.args = {name: _redacted(value) for name, value in record.args.items()}
        return True


def _redacted(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return without_tokens(f"?{value}")[1:] if "=" in value and not value.startswith("/") else without_tokens(value)


ACCESS_LOG_FILTER = AccessLogFilter()


def protect_access_log() -> None:
    logging.getLogger("granian.access").addFilter(ACCESS_LOG_FILTER)
