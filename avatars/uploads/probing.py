"""Has a file that somebody sent read and copied by a bounded process, so that none can harm or halt this one."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

logger = structlog.get_logger(__name__)
MEMORY_BYTES = 2 * 1024**3
"""Of addresses, most of which the libraries only reserve."""
CPU_SECONDS = 60
WALL_SECONDS = 180
GROWTH = 1.2
SPARE_BYTES = 32 * 1024**2
"""What a copy may be larger than its original: a picture written without loss, a recording's new index."""
UNREADABLE = "The file is damaged, or not what it seems to be."


class Refusal(Exception):
    """Of a file that is not taken. `reason` is a word for metrics; the text is for the customer."""

    def __init__(self, reason: str, text: str) -> None:
        self.reason = reason
        super().__init__(text)


@dataclass(frozen=True)
class Probed:
    """The clean copy at `path`, which is gone when the block of `probed` ends."""

    path: Path
    kind: str
    content_type: str
    suffix: str
    width: int | None
    height: int | None
    duration_seconds: Decimal | None
    notes: list[str]


@contextmanager
def probed(source: Path) -> Iterator[Probed]:
    """Raises Refusal for a file that is not taken."""
    Path(settings.WORK_DIR).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.WORK_DIR, prefix="probe-") as folder:
        target = Path(folder) / "copy"
        found = _run(source, target)
        length = found.pop("milliseconds")
        seconds = None if length is None else Decimal(length) / 1000
        yield Probed(path=target, duration_seconds=seconds, **found)


def _run(source: Path, target: Path) -> dict[str, Any]:
    largest = int(source.stat().st_size * GROWTH) + SPARE_BYTES
    limits = (str(MEMORY_BYTES), str(CPU_SECONDS), str(largest))
    command = [sys.executable, "-m", "avatars.uploads.probe", str(source), str(target), *limits]
    try:
        # Without our environment: it has keys, and the file may have been made to read them.
        done = subprocess.run(  # noqa: S603 - our own module, with paths of ours
            command, cwd=settings.BASE_DIR, env={"TMPDIR": str(target.parent)}, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=WALL_SECONDS, check=True,
        )  # fmt: skip
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        logger.warning("probe_timed_out", bytes=source.stat().st_size)
        raise Refusal("slow", UNREADABLE) from error
    except (subprocess.CalledProcessError, ValueError) as error:
        status, said = getattr(error, "returncode", None), getattr(error, "stderr", b"") or b""
        logger.warning("probe_failed", status=status, error=os.fsdecode(said[-300:]))
        raise Refusal("broken", UNREADABLE) from error
    if "refused" in answer:
        raise Refusal(answer["refused"]["reason"], answer["refused"]["text"])
    found: dict[str, Any] = answer["found"]
    return found
