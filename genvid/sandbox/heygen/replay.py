"""Answers kept for 24 hours under their Idempotency-Key. Refusals are not kept."""

import json
import time
from typing import Any

from genvid.sandbox.store import Store

WINDOW = 24 * 3600


def find(store: Store, scope: str) -> dict[str, Any] | None:
    row = store.row("SELECT * FROM replays WHERE scope = ? AND created_at > ?", scope, time.time() - WINDOW)
    if row is None:
        return None
    if row["video_id"]:
        store.run("UPDATE videos SET creates = creates + 1 WHERE id = ?", row["video_id"])
    return {"status": row["status"], "body": json.loads(row["body"])}


def keep(store: Store, scope: str, status: int, body: dict[str, Any], video_id: str | None) -> None:
    store.run(
        "INSERT OR REPLACE INTO replays (scope, created_at, status, body, video_id) VALUES (?, ?, ?, ?, ?)",
        scope,
        time.time(),
        status,
        json.dumps(body),
        video_id,
    )
