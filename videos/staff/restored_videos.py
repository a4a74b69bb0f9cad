"""Whether videos are whole after a restore: their files here, and their renders at HeyGen."""

import re
from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from django.core.files.storage import default_storage

from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_types import RemoteVideo
from videos.enums import Status
from videos.models import Video

MAX_NAMED = 20
BATCH_SIZE = 500
OUR_TITLE = re.compile(r"genvid ([0-9a-f-]{36}) \d+")


def count_files(sample: int) -> tuple[int, list[str]]:
    """Videos that were looked at, and names of files that are missing. `sample`: 0 for all videos."""
    kept = Video.objects.filter(status=Status.COMPLETED, expired_at=None, deleted_at=None).exclude(file="")
    rows = kept.values_list("file", "thumbnail", "subtitles", "subtitles_vtt")
    chosen = list(rows.order_by("?")[:sample]) if sample else rows.order_by("pk").iterator(BATCH_SIZE)
    count, missing = 0, []
    for names in chosen:
        count += 1
        missing += [name for name in names if name and not default_storage.exists(name)]
    return count, missing


def unknown_renders() -> Iterator[str]:
    """Renders with titles of ours whose video has no row here. Raises HeyGenError."""
    renders = get_client().find_videos("genvid ")
    while found := list(islice(renders, BATCH_SIZE)):
        ours = [(render, match[1]) for render in found if (match := OUR_TITLE.fullmatch(render.title))]
        known = set(Video.objects.filter(pk__in={UUID(pk) for _, pk in ours}).values_list("pk", flat=True))
        yield from (_named(render) for render, pk in ours if UUID(pk) not in known)


def _named(render: RemoteVideo) -> str:
    return f"{render.id}: {render.title} ({render.raw_status})"
