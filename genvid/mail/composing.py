"""Registry of composers: each kind of mail has one, and a template (`genvid.mail.rendering`)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID


class Recipient(NamedTuple):
    email: str
    language: str = ""
    """Empty: the site's language."""


@dataclass(frozen=True)
class Message:
    """Recipients and template values of a mail. Without recipients nothing is sent."""

    to: list[Recipient]
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    person: UUID | None
    account: UUID | None
    address: str
    data: dict[str, Any]


Composer = Callable[[Order], Message | None]
"""Returns None when the reason of the mail no longer holds or its person is unknown; the mail is then deleted.

Runs when a worker sends the mail, once per attempt; reads current rows and makes the tokens of links.
"""

_composers: dict[str, Composer] = {}


def composes(kind: str) -> Callable[[Composer], Composer]:
    def register(composer: Composer) -> Composer:
        _composers[kind] = composer
        return composer

    return register


def compose(kind: str, order: Order) -> Message | None:
    return _composers[kind](order)


def kinds() -> set[str]:
    return set(_composers)
