"""What a handler is given, and what says which request is its."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.forms import Form


@dataclass(frozen=True)
class Call:
    """A request that was let in."""

    bank: Bank
    form: Form
    path: dict[str, str]
    url: str

    @property
    def id(self) -> str:
        return self.path["id"]


Handler = Callable[[Call], dict[str, Any]]


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    handler: Handler
    takes: str | None = None
    """The parameters it knows, if others are to be refused."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"
