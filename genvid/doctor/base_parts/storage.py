"""The file storage: a file is written, read back and deleted."""

import os
import uuid
from collections.abc import Iterator

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from genvid.doctor.checks import Finding, check, failed, ok

BUCKET_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@check(
    "storage",
    seconds=30,
    advice="Check that the folder is writable and not full, or S3_BUCKET, S3_ENDPOINT_URL, S3_REGION and the keys.",
    outside=True,
)
def ask_storage() -> Iterator[Finding]:
    where = f"bucket {settings.S3_BUCKET}" if settings.S3_BUCKET else f"folder {settings.MEDIA_ROOT}"
    missing = [name for name in BUCKET_KEYS if not os.environ.get(name)]
    try:
        written = read_back()
    except Exception as error:
        if settings.S3_BUCKET and missing:
            yield failed(
                f"{where} cannot be written: {type(error).__name__}",
                f"{' and '.join(missing)} not set: set both, or give this machine a role that may use the bucket.",
            )
            return
        raise
    yield (
        ok(f"{where} takes and returns files")
        if written
        else failed(
            f"{where} returns another content than was written",
            "Something rewrites what is stored there; find out what.",
        )
    )


def read_back() -> bool:
    content = uuid.uuid4().bytes
    name = default_storage.save(f"probes/{uuid.uuid4()}", ContentFile(content))
    try:
        with default_storage.open(name) as file:
            return bool(file.read() == content)
    finally:
        default_storage.delete(name)
