"""Where files lie: a folder, or an S3-compatible bucket. Read by the settings."""

from pathlib import Path
from typing import Any

from environ import Env


def folder(root: Path) -> dict[str, Any]:
    options = {"location": root, "base_url": "/media/", "allow_overwrite": True}
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}


def bucket(env: Env, name: str, *, link_seconds: int) -> dict[str, Any]:
    options = {
        "bucket_name": name,
        "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
        "region_name": env.str("S3_REGION", default="") or None,
        "file_overwrite": True,
        "querystring_expire": link_seconds,
        # Bounds what one upload may hold in memory: parts of 8 MiB, one at a time.
        "transfer_config": _transfers(),
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


def _transfers() -> Any:
    from boto3.s3.transfer import TransferConfig  # type: ignore[import-untyped]  # heavy; of use to buckets only

    # With threads, boto3 reads ten parts ahead, however few of them it sends at once: 100 MiB for one file.
    return TransferConfig(multipart_chunksize=8 * 1024**2, use_threads=False)
