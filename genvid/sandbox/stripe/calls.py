"""What a handler is given, and what says which request is its."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from genvid.sandbox.stripe.core import StripeCore
from genvid.sandbox.stripe.forms import Form
from genvid.sandbox.stripe.params import Values


@dataclass(frozen=True)
class Call:
    """A request that was let in."""

    core: StripeCore
    form: Form
    path: dict[str, str]
    url: str
    expands: tuple[str, ...] = ()
    kept: Values = field(default_factory=dict)
    """The given values that become fields of the object just as they are."""

    @property
    def id(self) -> str:
        return self.path["id"]


Handler = Callable[[Call], dict[str, Any]]


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    handler: Handler

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"
