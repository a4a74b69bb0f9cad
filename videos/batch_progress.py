"""Counts, progress and credits of batches, for all their videos at once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from videos.enums import PROCESSING, TERMINAL, PublicStatus, public_status
from videos.models import Batch, Video
from videos.querysets import GOING
from videos.queue import estimates


def progress_of(batches: Sequence[Batch]) -> dict[UUID, dict[str, Any]]:
    """One query, however many batches and videos."""
    found: dict[UUID, dict[str, Any]] = {batch.pk: _blank(batch) for batch in batches}
    for row in Video.objects.tallies(list(found)):
        progress = found[row["batch_id"]]
        progress["counts"][public_status(row["status"])] += row["count"]
        progress["held"] += row["held"]
        progress["charged"] += row["charged"]
        progress["done"] += _done(row)
    for progress in found.values():
        progress["progress_percent"] = min(99, progress["done"] // progress["total"])
    return found


def _done(row: dict[str, Any]) -> int:
    count: int = row["count"]
    if row["status"] in TERMINAL:
        return 100 * count
    if row["status"] not in PROCESSING:
        return int(row["reached"])
    facts = {field: row[key] for key, field in GOING.items()}
    return count * estimates.progress_percent(Video(status=row["status"], **facts))


def _blank(batch: Batch) -> dict[str, Any]:
    statuses = [status for status in PublicStatus if status != PublicStatus.DRAFT]
    counts = dict.fromkeys([str(status) for status in statuses], 0)
    return {"counts": counts, "held": 0, "charged": 0, "done": 0, "total": batch.total}
