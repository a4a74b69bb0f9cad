"""Directives in a script, in double brackets, that make one video misbehave. They are not spoken."""

import re
from collections.abc import Callable
from typing import Any

from genvid.sandbox.api_errors import refuse, usual_code
from genvid.sandbox.runtime_settings import WEBHOOK_MODES

WORD = re.compile(r"\[\[([a-z_]+)(?::([^\]]*))?\]\]")
NOTHING_ELSE = "This is a sandbox video."
ALWAYS = 10**9

AT_SUBMIT = ("ratelimit", "error", "html", "garbage", "lost", "refuse")


def _webhook_mode(word: str) -> str:
    mode = {"double": "doubled", "none": "off"}.get(word, word)
    if mode not in WEBHOOK_MODES:
        raise ValueError(word)
    return mode


# The setting that a directive overrides, how its argument is read, and the argument that it has without one.
OVERRIDES: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "slow": ("render_seconds", float, "20"),
    "stuck": ("stuck", bool, "yes"),
    "fail": ("failure_code", str, "rendering_failed"),
    "unreadable": ("unreadable", str, "content_policy_violation"),
    "nourl": ("completed_without_url", int, "1"),
    "expired": ("expired_links", int, "1"),
    "webhook": ("webhooks", _webhook_mode, ""),
}


def split(script: str) -> tuple[str, dict[str, str]]:
    words = {match[1]: match[2] or "" for match in WORD.finditer(script)}
    if not words:
        return script, words
    spoken = re.sub(r"\s{2,}", " ", WORD.sub(" ", script)).strip()
    return spoken or NOTHING_ELSE, words


def for_render(words: dict[str, str]) -> dict[str, Any]:
    overrides = {}
    for word in filter(OVERRIDES.get, words):
        setting, read, usual = OVERRIDES[word]
        try:
            overrides[setting] = read(words[word] or usual)
        except ValueError as error:
            refuse("script", f"A directive has a bad argument: {error}")
    return overrides


def times(argument: str) -> int:
    if argument and argument != "always" and not argument.isdecimal():
        refuse("script", f"A directive's count must be a number or always, not {argument!r}")
    return ALWAYS if argument == "always" else int(argument or 1)


def code_for(status: str) -> str:
    return usual_code(int(status) if status.isdecimal() else 500)
