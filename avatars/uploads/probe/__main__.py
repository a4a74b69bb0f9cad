"""`python -m avatars.uploads.probe SOURCE TARGET MEMORY SECONDS BYTES`: prints the findings, or the refusal, as JSON.

Bounded by the system before it reads a byte: memory, seconds of the processor, the size of what it writes.
"""

import json
import resource
import sys
from pathlib import Path

from avatars.uploads.probe.findings import Findings, Unusable
from avatars.uploads.probe.sniffing import HEAD_BYTES, IMAGES, sniff

OPEN_FILES = 32


def main(source: str, target: str, memory: str, seconds: str, written: str) -> None:
    _bound(int(memory), int(seconds), int(written))
    try:
        answer = {"found": _rewrite(Path(source), Path(target)).as_json()}
    except Unusable as refusal:
        answer = {"refused": {"reason": refusal.reason, "text": str(refusal)}}
    sys.stdout.write(json.dumps(answer))


def _bound(memory: int, seconds: int, written: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _rewrite(source: Path, target: Path) -> Findings:
    with source.open("rb") as file:
        found = sniff(file.read(HEAD_BYTES))
    # Either library takes a tenth of a second and fifty megabytes to load.
    if found in IMAGES:
        from avatars.uploads.probe import images  # noqa: PLC0415 - heavy, for pictures only

        return images.rewrite(source, target, found)
    from avatars.uploads.probe import recordings  # noqa: PLC0415 - heavy, for recordings only

    return recordings.rewrite(source, target, found)


main(*sys.argv[1:])
