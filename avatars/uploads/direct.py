"""Uploads that go straight to the bucket: a signed form of one object, of one size and type."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction

from avatars.enums import UploadKind, UploadStatus
from avatars.models import Upload
from avatars.uploads import filenames, limits, metrics
from avatars.uploads.intake import Sender
from genvid import database_clock
from genvid.api.serializers import refuse_field
from genvid.errors import UploadTooLarge, ValidationFailed
from genvid.leasing import from_now

MEGABYTE = 1_000_000
LINK_LIFETIME = timedelta(hours=1)
KINDS = {
    "image/jpeg": UploadKind.IMAGE,
    "image/png": UploadKind.IMAGE,
    "image/webp": UploadKind.IMAGE,
    "audio/wav": UploadKind.AUDIO,
    "audio/mpeg": UploadKind.AUDIO,
    "video/mp4": UploadKind.VIDEO,
    "video/webm": UploadKind.VIDEO,
}
LARGEST = {UploadKind.IMAGE: 50 * MEGABYTE, UploadKind.AUDIO: 120 * MEGABYTE, UploadKind.VIDEO: 500 * MEGABYTE}


@dataclass(frozen=True)
class Announcement:
    """What a client says of a file that it is about to send."""

    filename: str
    content_type: str
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True)
class UploadForm:
    """Where the bytes go: a POST form with these fields and then `file`, until `expires_at`."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


def begin(sender: Sender, said: Announcement) -> tuple[Upload, UploadForm]:
    """Raises ValidationFailed without a bucket, UploadTooLarge, and what `limits.require_capacity` raises."""
    if not settings.S3_BUCKET:
        raise ValidationFailed("Send the file as multipart/form-data, in the field `file`: this site has no bucket.")
    kind = KINDS.get(said.content_type)
    if kind is None:
        raise refuse_field("content_type", f"Must be one of {', '.join(KINDS)}.")
    if said.size_bytes > LARGEST[kind]:
        metrics.refusals.add("bytes")
        raise UploadTooLarge(f"A file of the kind {kind} may have {LARGEST[kind] // MEGABYTE} MB at most.")
    upload_id = uuid4()
    with transaction.atomic():
        limits.reserve_capacity(sender.account_id, said.size_bytes)
        upload = Upload.objects.create(
            id=upload_id,
            account_id=sender.account_id,
            created_by_id=sender.user_id,
            api_key_id=sender.key_id,
            is_test=sender.is_test,
            status=UploadStatus.WAITING,
            kind=kind,
            content_type=said.content_type,
            bytes=said.size_bytes,
            sha256=said.sha256,
            filename=filenames.cleaned(said.filename, filenames.suffix_of(said.filename)),
            file=incoming_name(sender.account_id, upload_id),
            expires_at=from_now(LINK_LIFETIME),
        )
    return upload, _form_of(upload)


def incoming_name(account_id: Any, upload_id: Any) -> str:
    """Of the object that the client writes; the checked copy gets a name of its own."""
    return f"uploads/incoming/{account_id}/{upload_id}"


def _form_of(upload: Upload) -> UploadForm:
    storage: Any = default_storage
    # Each condition holds for the bucket: another size, type or name is refused there.
    signed = storage.connection.meta.client.generate_presigned_post(
        storage.bucket_name,
        str(upload.file.name),
        Fields={"Content-Type": upload.content_type},
        Conditions=[{"Content-Type": upload.content_type}, ["content-length-range", upload.bytes, upload.bytes]],
        ExpiresIn=int(LINK_LIFETIME.total_seconds()),
    )
    return UploadForm(signed["url"], signed["fields"], database_clock.now() + LINK_LIFETIME)
