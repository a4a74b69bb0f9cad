"""What mails say: each kind has a composer, which its app registers, and a template (`genvid.mail.rendering`)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID


class Recipient(NamedTuple):
    email: str
    language: str = ""
    """As its owner chose it; the site's own where no mail is written in it."""


@dataclass(frozen=True)
class Message:
    """Whom a mail is for, and the values that its template shows. Without recipients there is nothing to send."""

    to: list[Recipient]
    context: dict[str, Any] = field(default_factory=dict)


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
