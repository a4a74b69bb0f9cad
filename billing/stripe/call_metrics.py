"""Times calls to Stripe by operation and outcome: `post checkout/sessions/:id/expire`, `ok` or our error's code."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from billing.stripe.stripe_errors import BillingError
from genvid.metrics import CALL_SECONDS, Timing

WORD = re.compile(r"[a-z]+(?:_[a-z]+)*")
VERSION = "v1/"

_calls = Timing(
    "genvid_stripe_call_seconds",
    "Calls to Stripe by operation and outcome, the SDK's retries included.",
    ["operation", "outcome"],
    buckets=CALL_SECONDS,
)


def operation_of(method: str, path: str) -> str:
    """Ids become `:id`: they have digits or capitals, and the words of a path have neither."""
    words = path.partition("?")[0].strip("/").removeprefix(VERSION).split("/")
    return f"{method.lower()} " + "/".join(word if WORD.fullmatch(word) else ":id" for word in words)


@contextmanager
def observed(operation: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    except BillingError as error:
        observe(operation, error.code, started)
        raise
    observe(operation, "ok", started)


def observe(operation: str, outcome: str, started: float) -> None:
    _calls.note(time.monotonic() - started, operation, outcome)
