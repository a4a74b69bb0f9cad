"""One-shot faults: the next requests that match answer wrongly, slowly or not at all."""

import json
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatch
from typing import Any

from genvid.sandbox.errors import (
    CODES_BY_STATUS,
    ApiError,
    ConnectionDropped,
    garbage_answer,
    html_answer,
    refuse,
)
from genvid.sandbox.store import Store

KINDS = ("status", "html", "garbage", "drop", "lost", "delay", "none")


@dataclass(frozen=True)
class Fault:
    kind: str = "status"
    method: str = "*"
    path: str = "*"
    times: int = 1
    status: int = 500
    code: str | None = None
    message: str | None = None
    retry_after: int | None = None
    seconds: float = 0.0

    def strike_before(self) -> None:
        """What happens instead of the request. `lost` strikes after it, `delay` has already."""
        if self.kind == "status":
            code = self.code or CODES_BY_STATUS.get(self.status, "internal_error")
            raise ApiError(code, self.message, status=self.status, retry_after=self.retry_after)
        if self.kind == "html":
            raise html_answer(self.status)
        if self.kind == "garbage":
            raise garbage_answer(self.status)
        if self.kind == "drop":
            raise ConnectionDropped


def queue(store: Store, spec: Any) -> Fault:
    known = {field.name for field in fields(Fault)}
    if not isinstance(spec, dict) or set(spec) - known or spec.get("kind", "status") not in KINDS:
        refuse("fault", "A fault has " + ", ".join(sorted(known)) + "; its kind is one of " + ", ".join(KINDS))
    fault = Fault(**spec)
    store.add("faults", spec=json.dumps(asdict(fault)), left=fault.times)
    return fault


def take(store: Store, method: str, path: str) -> Fault:
    """The oldest fault that matches this request, used up by one; a harmless one if there is none."""
    for row in store.rows("SELECT * FROM faults WHERE left > 0 ORDER BY seq"):
        fault = Fault(**json.loads(row["spec"]))
        if fault.method.upper() in ("*", method) and fnmatch(path, fault.path):
            store.run("UPDATE faults SET left = left - 1 WHERE seq = ?", row["seq"])
            return fault
    return Fault(kind="none")
