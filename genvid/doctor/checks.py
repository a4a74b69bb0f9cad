"""The checks of the doctor: what each asks, and what it found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

PARTS = (
    *("database", "migrations", "redis", "storage", "mail", "heygen", "stripe"),
    *("clock", "beat", "queues", "disk", "settings"),
)
MAX_LENGTH = 300


class Level(IntEnum):
    OK = 0
    WARNING = 1
    FAILED = 2

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """`found` and `advice` are sentences for the operator, of one line and without secrets."""

    level: Level
    found: str
    advice: str = ""


def ok(found: str) -> Finding:
    return Finding(Level.OK, found)


def warning(found: str, advice: str) -> Finding:
    return Finding(Level.WARNING, found, advice)


def failed(found: str, advice: str) -> Finding:
    return Finding(Level.FAILED, found, advice)


@dataclass(frozen=True)
class Check:
    """`ask` yields findings and may raise: that is a failure with `advice`. `is_outside`: runs every night, too."""

    part: str
    ask: Callable[[], Iterator[Finding]]
    seconds: float
    advice: str
    is_outside: bool

    def findings(self) -> list[Finding]:
        found: list[Finding] = []
        try:
            found.extend(self.ask())
        except Exception as error:  # noqa: BLE001 - whatever a neighbour raises is what was found
            found.append(failed(one_line(error), self.advice))
        return found


CHECKS: list[Check] = []


def check(
    part: str, *, seconds: float, advice: str, outside: bool = False
) -> Callable[[Callable[[], Iterator[Finding]]], Check]:
    """Register a check of one of PARTS. After `seconds` without an end the part has failed."""

    def register(ask: Callable[[], Iterator[Finding]]) -> Check:
        made = Check(part, ask, seconds, advice, outside)
        CHECKS.append(made)
        return made

    return register


def one_line(error: BaseException) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= MAX_LENGTH else f"{words[:MAX_LENGTH]}…"
