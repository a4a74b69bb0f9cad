"""Definitions of the file storages: a folder, or an S3-compatible bucket. Used by the settings."""

from pathlib import Path
from typing import Any

from genvid.configuration import DeclaredEnv


def folder(root: Path) -> dict[str, Any]:
    options = {"location": root, "base_url": "/media/", "allow_overwrite": True}
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}


def bucket(env: DeclaredEnv, name: str, *, link_seconds: int) -> dict[str, Any]:
    options = {
        "bucket_name": name,
        "endpoint_url": env.str("S3_ENDPOINT_URL") or None,
        "region_name": env.str("S3_REGION") or None,
        "file_overwrite": True,
        "querystring_expire": link_seconds,
        "client_config": _client_config(_addressing(env, name)),
        # Bounds what one upload may hold in memory: parts of 8 MiB, one at a time.
        "transfer_config": _transfers(),
        # By default a file that is read is held in memory whole; above this it is read from a temporary file.
        "max_memory_size": 8 * 1024**2,
    }
    return {"BACKEND": "genvid.buckets.Bucket", "OPTIONS": options}


def _addressing(env: DeclaredEnv, name: str) -> str:
    if env.str("S3_ENDPOINT_URL"):
        return "auto"
    # No certificate covers a host whose bucket's name has dots.
    return "path" if "." in name else "virtual"


def _client_config(addressing: str) -> Any:
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, for buckets only

    return Config(
        s3={"addressing_style": addressing},
        # By default links have Signature Version 2, which newer buckets and most S3-compatible stores refuse.
        signature_version="s3v4",
        # By default a bucket that does not answer holds a thread for five minutes: five tries of a minute.
        connect_timeout=5,
        read_timeout=30,
        retries={"total_max_attempts": 3, "mode": "standard"},
    )


def _transfers() -> Any:
    from boto3.s3.transfer import TransferConfig  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, for buckets only

    # With threads, boto3 reads ten parts ahead, however few of them it sends at once: 100 MiB for one file.
    return TransferConfig(multipart_chunksize=8 * 1024**2, use_threads=False)
