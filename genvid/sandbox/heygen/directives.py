"""Directives in a script, in double brackets, that make one video misbehave. They are neither spoken nor captioned."""

import re
from typing import Any

from genvid.sandbox.errors import CODES_BY_STATUS, refuse
from genvid.sandbox.settings import WEBHOOK_MODES

WORD = re.compile(r"\[\[([a-z_]+)(?::([^\]]*))?\]\]")
NOTHING_ELSE = "This is a sandbox video."
ALWAYS = 10**9

AT_SUBMIT = ("ratelimit", "error", "html", "garbage", "lost", "refuse")
_WEBHOOKS = {"double": "doubled", "none": "off"}


def split(script: str) -> tuple[str, dict[str, str]]:
    """The script as it is spoken, and its directives with their arguments."""
    words = {match[1]: match[2] or "" for match in WORD.finditer(script)}
    if not words:
        return script, words
    spoken = re.sub(r"\s{2,}", " ", WORD.sub(" ", script)).strip()
    return spoken or NOTHING_ELSE, words


def for_render(words: dict[str, str]) -> dict[str, Any]:
    """The settings that a video's directives override."""
    try:
        return _overrides(words)
    except ValueError as error:
        refuse("script", f"A directive has a bad argument: {error}")


def _overrides(words: dict[str, str]) -> dict[str, Any]:
    overrides: dict[str, Any] = {}
    if "slow" in words:
        overrides["render_seconds"] = float(words["slow"] or 20)
    if "stuck" in words:
        overrides["stuck"] = True
    if "fail" in words:
        overrides["failure_code"] = words["fail"] or "rendering_failed"
    if "unreadable" in words:
        overrides["unreadable"] = words["unreadable"] or "content_policy_violation"
    if "nourl" in words:
        overrides["completed_without_url"] = int(words["nourl"] or 1)
    if "expired" in words:
        overrides["expired_links"] = int(words["expired"] or 1)
    if "webhook" in words:
        overrides["webhooks"] = _WEBHOOKS.get(words["webhook"], words["webhook"])
        if overrides["webhooks"] not in WEBHOOK_MODES:
            raise ValueError(words["webhook"])
    return overrides


def times(argument: str) -> int:
    """How often a submit-time directive applies: once, unless its argument is a number or `always`."""
    if argument and argument != "always" and not argument.isdecimal():
        refuse("script", f"A directive's count must be a number or always, not {argument!r}")
    return ALWAYS if argument == "always" else int(argument or 1)


def code_for(status: str) -> str:
    """The error code that `[[error:500]]` answers with."""
    return CODES_BY_STATUS.get(int(status or 500) if status.isdecimal() or not status else 0, "internal_error")
