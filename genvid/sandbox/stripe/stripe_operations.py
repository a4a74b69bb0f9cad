"""Operations of the API: method, path and handler, and the call that a handler is given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.parameters import Values
from genvid.sandbox.stripe.stripe_core import StripeCore


@dataclass(frozen=True)
class Call:
    core: StripeCore
    form: Form
    path: dict[str, str]
    method: str
    url: str
    kept: Values = field(default_factory=dict)
    """The given values that become fields as they are."""

    @property
    def id(self) -> str:
        return self.path["id"]

    @property
    def customer(self) -> str | None:
        wanted = self.form.text("customer")
        return None if wanted is None else str(self.core.get_existing("customer", wanted, "customer")["id"])

    def updates(self, before: Json) -> Json:
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
