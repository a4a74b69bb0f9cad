"""What the handler of an operation is given, and what says which request is its."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.parameters import Values
from genvid.sandbox.stripe.stripe_core import StripeCore


@dataclass(frozen=True)
class Call:
    """A request that was let in."""

    core: StripeCore
    form: Form
    path: dict[str, str]
    method: str
    url: str
    kept: Values = field(default_factory=dict)
    """The given values that become fields of the object just as they are."""

    @property
    def id(self) -> str:
        return self.path["id"]

    def updates(self, before: Thing) -> Thing:
        """The kept values, and the metadata as it is afterwards, where they were given."""
        if "metadata" not in self.form:
            return {**self.kept}
        return {**self.kept, "metadata": self.form.map("metadata", before["metadata"])}


Handler = Callable[[Call], dict[str, Any]]


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    handler: Handler

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"
