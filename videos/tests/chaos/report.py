"""The figures of a chaos run."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

from avatars.models import Creation, Upload
from videos.enums import Status
from videos.models import Speech, Video

NOT_POLLING = ("POST /v3/videos", "GET /v3/videos/{video_id}", "DELETE /v3/videos/{video_id}")
WARNING_LEVELS = ("error", "critical", "warning")
Section = tuple[str, dict[str, Any]]


def sections(
    counts: Counter[str], customer_counts: Counter[str], sandbox_state: dict[str, Any], logs: list[Path]
) -> list[Section]:
    return [
        ("faults injected", dict(sorted(counts.items()))),
        ("customers", dict(sorted(customer_counts.items()))),
        ("faults at HeyGen", dict(sorted(sandbox_state["drawn_faults"].items()))),
        ("requests at HeyGen", dict(sorted(sandbox_state["requests"].items()))),
        ("calls per completed video", _calls_per_video(sandbox_state["requests"])),
        ("videos", _video_counts()),
        ("own material", _own_counts()),
        ("seconds", _seconds()),
        ("log lines", dict(_warning_lines(logs).most_common(12))),
    ]


def printed(found: Iterable[Section]) -> Iterator[str]:
    for title, rows in found:
        yield title
        yield from (f"  {name:<44} {value}" for name, value in rows.items())


def _calls_per_video(requests: dict[str, int]) -> dict[str, Any]:
    done = max(1, Video.objects.filter(status=Status.COMPLETED).count())
    found = {name: f"{requests.get(name, 0) / done:.2f}" for name in NOT_POLLING[:2]}
    others = sum(count for name, count in requests.items() if name not in NOT_POLLING)
    return found | {"all others": f"{others / done:.2f}"}


def _video_counts() -> dict[str, int]:
    found: Counter[str] = Counter()
    for video in Video.objects.all():
        found[video.status] += 1
        found["orders placed anew"] += max(0, video.attempt - 1)
        found["deleted"] += video.deleted_at is not None
        if video.status == Status.COMPLETED:
            found[f"end learned by {video.learned_by}"] += 1
        if video.error_code:
            found[f"failed with {video.error_code}"] += 1
    return dict(sorted(found.items()))


def _own_counts() -> dict[str, int]:
    found: Counter[str] = Counter()
    for creation in Creation.objects.all():
        deleted = ", deleted" if creation.deleted_at else ""
        found[f"{creation.kind} {creation.status}{deleted}"] += 1
        found["creations ordered anew"] += max(0, creation.attempt - 1)
    for speech in Speech.objects.all():
        found[f"speech {speech.status}"] += 1
        found["credits for speech"] += speech.credits_charged
    for upload in Upload.objects.all():
        found[f"upload of a {upload.origin}, {'deleted' if upload.deleted_at else upload.status}"] += 1
    return dict(sorted(found.items()))


def _seconds() -> dict[str, str]:
    done = list(Video.objects.filter(status=Status.COMPLETED))
    spans = {
        "order to completed": [(one.completed_at - one.created_at).total_seconds() for one in done],
        "first order at HeyGen to completed": [(one.completed_at - one.submitted_at).total_seconds() for one in done],
    }
    return {name: _quantiles(values) for name, values in spans.items() if len(values) > 1}


def _quantiles(values: list[float]) -> str:
    cuts = quantiles(values, n=100, method="inclusive")
    return f"p50 {cuts[49]:.1f}, p95 {cuts[94]:.1f}, most {max(values):.1f}"


def _warning_lines(logs: list[Path]) -> Counter[str]:
    """Our warnings and errors by event name, and tracebacks by process."""
    found: Counter[str] = Counter()
    for log in logs:
        for line in log.read_text(errors="replace").splitlines():
            record = _parsed(line)
            if record is not None and record.get("level") in WARNING_LEVELS:
                found[f"{record['level']}: {str(record.get('event'))[:60]}"] += 1
            elif record is None and line.startswith("Traceback"):
                found[f"traceback in {log.stem}"] += 1
    return found


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
