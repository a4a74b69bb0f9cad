"""Uploads that go straight to the bucket: a signed form of one object, of one size and type."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage

from avatars.enums import UploadKind, UploadOrigin, UploadStatus
from avatars.models import Upload
from avatars.uploads import filenames, metrics
from avatars.uploads.intake import Sender, reserve_row
from genvid import database_clock
from genvid.api.serializers import refuse_field
from genvid.errors import UploadTooLarge, ValidationFailed

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


def begin(sender: Sender, said: Announcement, *, upload_id: UUID) -> tuple[Upload, UploadForm | None]:
    """The upload with the form for its file. Repeated with the same id after a crash, the same upload.

    Raises ValidationFailed without a bucket, UploadTooLarge, and what `reserve_row` raises.
    """
    if not settings.S3_BUCKET:
        raise ValidationFailed("Send the file as multipart/form-data, in the field `file`: this site has no bucket.")
    kind = _kind_of(said)
    facts = {
        "origin": UploadOrigin.CUSTOMER,
        "kind": kind,
        "content_type": said.content_type,
        "bytes": said.size_bytes,
        "sha256": said.sha256,
        "filename": filenames.cleaned(said.filename, filenames.suffix_of(said.filename)),
    }
    upload = reserve_row(sender, upload_id, lifetime=LINK_LIFETIME, name_of=incoming_name, facts=facts)
    waits = upload.status == UploadStatus.WAITING and upload.due_at is None
    return upload, _form_of(upload) if waits else None


def _kind_of(said: Announcement) -> UploadKind:
    kind = KINDS.get(said.content_type)
    if kind is None:
        raise refuse_field("content_type", f"Must be one of {', '.join(KINDS)}.")
    if said.size_bytes > LARGEST[kind]:
        metrics.refusals.add("bytes")
        raise UploadTooLarge(f"A file of the kind {kind} may have {LARGEST[kind] // MEGABYTE} MB at most.")
    return kind


def incoming_name(account_id: UUID, upload_id: UUID) -> str:
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
