"""Wrong, late and missing answers: faults queued for the next matching requests, and faults drawn by rates."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatch
from typing import Any

from genvid.sandbox.api_errors import ApiError, ConnectionDropped, garbage_answer, html_answer, refuse, usual_code
from genvid.sandbox.runtime_settings import StoredSettings
from genvid.sandbox.store import Store

FIVE_HUNDREDS = (500, 502, 503)
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

    def apply_before(self) -> None:
        """Raises the answer that replaces the request's. `lost` is applied after the request, `delay` before this."""
        if self.kind == "status":
            code = self.code or usual_code(self.status)
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
    """Uses up the oldest queued fault that matches the request; one without effect if none does."""
    for row in store.rows("SELECT * FROM faults WHERE left > 0 ORDER BY seq"):
        fault = Fault(**json.loads(row["spec"]))
        if fault.method.upper() in ("*", method) and fnmatch(path, fault.path):
            store.run("UPDATE faults SET left = left - 1 WHERE seq = ?", row["seq"])
            return fault
    return Fault(kind="none")


async def apply_before(store: Store, settings: StoredSettings, fault: Fault) -> None:
    stall = settings.current.stall_seconds if settings.fault_occurs("stall_rate") else 0.0
    await asyncio.sleep(settings.current.latency_seconds + stall)
    if fault.seconds:  # clearing the faults ends the delay
        await wait(lambda: fault.seconds if store.value("SELECT COUNT(*) FROM faults") else 0)
    fault.apply_before()


async def wait(seconds: Callable[[], float]) -> None:
    """Asks for the seconds again and again, so that lowering them ends the wait."""
    begun = time.monotonic()
    while (left := begun + seconds() - time.monotonic()) > 0:
        await asyncio.sleep(min(left, 0.05))


def apply_instead(settings: StoredSettings) -> None:
    if settings.fault_occurs("rate_limit_rate"):
        raise ApiError("rate_limit_exceeded", retry_after=settings.current.retry_after)
    if settings.fault_occurs("garbage_rate"):
        raise garbage_answer()
    if settings.fault_occurs("error_rate"):
        raise _five_hundred(settings)


def apply_after(settings: StoredSettings) -> None:
    if settings.fault_occurs("drop_answer_rate"):
        raise ConnectionDropped
    if settings.fault_occurs("late_error_rate"):
        raise _five_hundred(settings)


def _five_hundred(settings: StoredSettings) -> Exception:
    status = settings.rng.choice(FIVE_HUNDREDS)
    return html_answer(status) if settings.rng.random() < 0.25 else ApiError(usual_code(status))
