"""What mails say: each kind has a composer, which the app of its subject registers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Message:
    """A mail as it is sent. Without receivers there is nothing to send."""

    subject: str
    text: str
    to: list[str]


@dataclass(frozen=True)
class Order:
    """What a composer is given: the words of a queued mail."""

    person: UUID | None
    account: UUID | None
    address: str
    data: dict[str, Any]


Composer = Callable[[Order], Message | None]
"""None: what the mail was to tell is no longer so, or its person is not known; it is deleted unsent.

Composers run when a worker sends the mail, once for each attempt. They look at the rows of that moment, and make the
tokens of links.
"""

_composers: dict[str, Composer] = {}


def composes(kind: str) -> Callable[[Composer], Composer]:
    """Register the composer of a kind."""

    def register(composer: Composer) -> Composer:
        _composers[kind] = composer
        return composer

    return register


def compose(kind: str, order: Order) -> Message | None:
    """Raises LookupError for a kind of another release."""
    return _composers[kind](order)


def kinds() -> set[str]:
    return set(_composers)
