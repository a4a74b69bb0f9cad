"""The storage backend for an S3-compatible bucket. Named by the settings."""

from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from storages.backends.s3 import S3Storage

from genvid.media_types import media_type_of


class Bucket(S3Storage):
    def get_object_parameters(self, name: str) -> dict[str, Any]:
        return {
            "ContentType": media_type_of(name),
            "ContentDisposition": f'inline; filename="{PurePosixPath(name).name}"',
            "CacheControl": f"private, max-age={settings.MEDIA_LINK_LIFETIME}",
            **super().get_object_parameters(name),
        }
