"""Answers stored under their Idempotency-Key: https://docs.stripe.com/api/idempotent_requests."""

import hashlib
import json
import time
from typing import Any

from genvid.sandbox.store import Store
from genvid.sandbox.stripe.stripe_errors import StripeError

WINDOW = 24 * 3600
OTHER_PARAMETERS = "Keys for idempotent requests can only be used with the same parameters they were first used with."
OTHER_ENDPOINT = (
    "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{path}')."
)
HINT = " Try using a key other than '{key}' if you meant to execute a different request."


def fingerprint(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def find_answer(store: Store, key: str, path: str, body: bytes) -> tuple[int, Any] | None:
    """The first answer under this key. Raises StripeError if the key was used for another request."""
    row = store.row("SELECT * FROM stripe_replays WHERE key = ? AND created_at > ?", key, time.time() - WINDOW)
    if row is None:
        return None
    if row["path"] != path:
        raise StripeError(OTHER_ENDPOINT.format(path=row["path"]) + HINT.format(key=key), type="idempotency_error")
    if row["fingerprint"] != fingerprint(body):
        raise StripeError(OTHER_PARAMETERS + HINT.format(key=key), type="idempotency_error")
    return row["status"], json.loads(row["body"])


def store_answer(store: Store, key: str, path: str, body: bytes, status: int, answer: Any) -> None:
    sql = """INSERT OR REPLACE INTO stripe_replays (key, path, fingerprint, status, body, created_at)
             VALUES (?, ?, ?, ?, ?, ?)"""
    store.run(sql, key, path, fingerprint(body), status, json.dumps(answer), time.time())


def key_in_use(key: str) -> StripeError:
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably means you "
        "submitted twice, and the other request is still going through). Please try again later."
    )
    return StripeError(message, status=409, type="idempotency_error", code="idempotency_key_in_use")
