"""Finds variables that look like settings of genvid but are not read: typing errors and removed settings."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from genvid.configuration.declared import SETTINGS

PREFIXES = (
    *("ACCOUNT_ERASURE_", "ALARM_", "ALLOW_PRIVATE_", "ASGI_", "BILLING_", "CHECKOUT_", "CORS_", "GENVID_", "HEYGEN_"),
    *("JWT_", "MEDIA_", "METRICS_", "RATE_LIMIT", "REQUIRE_", "S3_", "SIGNUP_", "STRIPE_", "SUBSCRIPTION_"),
    *("TEST_RENDERER_", "VIDEO_", "WEBHOOK_"),
)
OF_THE_TESTS = re.compile(r"GENVID_TEST_[A-Z_]+")
MAX_EDITS = 2
LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")


@dataclass(frozen=True)
class UnreadName:
    name: str
    place: str
    meant: str

    def __str__(self) -> str:
        hint = f"; {self.meant} is meant, perhaps" if self.meant else ""
        return f"{self.name} in {self.place} is read by nothing{hint}."


def unread_names(*files: Path) -> list[UnreadName]:
    """Unread names in the environment and in these files that have our prefix or lie within two edits of a setting."""
    written = {name: str(file) for file in reversed(files) for name in names_in(file)}
    found = [_judge(name, place, is_written=True) for name, place in written.items()]
    found += [_judge(name, "the environment", is_written=False) for name in os.environ if name not in written]
    return sorted(filter(None, found), key=lambda each: each.name)


def names_in(file: Path) -> Iterator[str]:
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    yield from (match[1] for line in lines if (match := LINE.match(line)))


def _judge(name: str, place: str, *, is_written: bool) -> UnreadName | None:
    if name in _KNOWN or OF_THE_TESTS.fullmatch(name):
        return None
    meant = nearest(name, SETTINGS, edits=_edits(name, is_written=is_written))
    return UnreadName(name, place, meant) if meant or name.upper().startswith(PREFIXES) else None


def _edits(name: str, *, is_written: bool) -> int:
    """Fewer edits are allowed in the environment, which holds other programs' names, such as PATH beside PORT."""
    return MAX_EDITS if is_written or len(name) >= 8 else 0


def nearest(name: str, names: Iterable[str], *, edits: int) -> str:
    near = [(distance(name.upper(), other), other) for other in names if abs(len(name) - len(other)) <= edits]
    best = min(near, default=(edits + 1, ""))
    return best[1] if best[0] <= edits else ""


def distance(one: str, other: str) -> int:
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, character in enumerate(one, 1):
        line = [row]
        for column, against in enumerate(other, 1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (character != against))
            if row > 1 and column > 1 and character == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]


_KNOWN = {*SETTINGS, *(f"{name}_FILE" for name, setting in SETTINGS.items() if setting.comes_from_file)}
