"""System checks of the file storage and its signed links. Imported by `genvid.apps`."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from genvid.bucket_links import MAX_LIFETIME_SECONDS

AMAZON = (".amazonaws.com", ".amazonaws.com.cn")


@register
def check_bucket_region(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """Signature Version 4 signs for one region: Amazon refuses links signed for another."""
    host = urlsplit(settings.S3_ENDPOINT_URL).hostname or ""
    is_amazons = not settings.S3_ENDPOINT_URL or host.endswith(AMAZON)
    if settings.S3_BUCKET and is_amazons and not settings.S3_REGION:
        hint = "Set it to the bucket's region, such as eu-west-1."
        return [Error("S3_REGION is empty for a bucket at Amazon.", hint=hint, id="genvid.E040")]
    return []


@register
def check_link_lifetime(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    if settings.MEDIA_LINK_LIFETIME > MAX_LIFETIME_SECONDS:
        hint = f"At most {MAX_LIFETIME_SECONDS}, seven days: S3's Signature Version 4 knows no longer link."
        return [Error("MEDIA_LINK_LIFETIME is longer than seven days.", hint=hint, id="genvid.E041")]
    return []
