"""What was ever made: assets, own looks and voices, and speech, with those that were deleted since."""

import time

from genvid.sandbox.heygen.dispatch import Call
from genvid.sandbox.store import Row, Store

PRESENT = """
SELECT kind, object_id, group_id, name, idempotency_key, failure, charged, created_at, CASE kind
    WHEN 'asset' THEN EXISTS (SELECT 1 FROM assets WHERE id = object_id)
    WHEN 'look' THEN EXISTS (SELECT 1 FROM looks WHERE id = object_id)
    WHEN 'voice' THEN EXISTS (SELECT 1 FROM voices WHERE id = object_id)
    ELSE 0 END AS is_present
FROM made_objects ORDER BY seq
"""


def record(
    call: Call,
    kind: str,
    object_id: str,
    *,
    name: str = "",
    group_id: str = "",
    failure: str | None = None,
    charged: int = 0,
) -> None:
    """`kind`: asset, look, voice or speech. `charged`: micro-dollars. In the transaction that makes it."""
    call.core.store.add(
        "made_objects",
        kind=kind,
        object_id=object_id,
        group_id=group_id,
        name=name,
        idempotency_key=call.idempotency_key,
        failure=failure,
        charged=charged,
        created_at=time.time(),
    )


def listed(store: Store) -> list[Row]:
    return [row | {"is_present": bool(row["is_present"])} for row in store.rows(PRESENT)]
