"""The free space of the disks that are written to."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from genvid.doctor.checks import Finding, check, failed, ok, warning

GIB = 1024**3
FEW = 0.1
ADVICE = "Free or add disk space. Downloads leave VIDEO_DISK_RESERVE free, and wait below it."


@check("disk", seconds=10, advice="Check that GENVID_VAR is a folder that this user may use.")
def ask_disk() -> Iterator[Finding]:
    folders = {settings.VAR_DIR} if settings.S3_BUCKET else {settings.VAR_DIR, settings.MEDIA_ROOT}
    disks = {existing.stat().st_dev: existing for existing in map(_existing, sorted(folders))}
    for folder in disks.values():
        usage = shutil.disk_usage(folder)
        found = f"{usage.free / GIB:.1f} of {usage.total / GIB:.1f} GiB free at {folder}"
        if usage.free <= settings.VIDEO_DISK_RESERVE:
            yield failed(found, ADVICE)
        elif usage.free <= 2 * settings.VIDEO_DISK_RESERVE or usage.free < FEW * usage.total:
            yield warning(found, ADVICE)
        else:
            yield ok(found)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
