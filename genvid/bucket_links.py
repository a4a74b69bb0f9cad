"""Links signed by the bucket, with a fixed file name and type."""

from pathlib import PurePosixPath

from django.core.files.storage import default_storage
from django.utils.http import content_disposition_header

from genvid.media_types import media_type_of

MAX_LIFETIME_SECONDS = 7 * 24 * 3600


def bucket_link(name: str, *, filename: str = "", seconds: int | None = None, as_attachment: bool = False) -> str:
    """A link to the object `name`, saved as `filename` (default: the last part of `name`).

    `seconds`: its lifetime; by default `MEDIA_LINK_LIFETIME`.
    """
    shown = filename or PurePosixPath(name).name
    said = {
        "ResponseContentDisposition": content_disposition_header(as_attachment, shown),
        "ResponseContentType": media_type_of(name),
    }
    return str(default_storage.url(name, parameters=said, expire=seconds))  # type: ignore[call-arg]
