"""The uploads that a request names."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from avatars.enums import UploadKind, UploadOrigin, UploadStatus
from avatars.models import Upload
from avatars.uploads.selection import kept_until_commit
from genvid.api.serializers import refuse_field
from videos.kinds.subjects import Orderer, Uploads
from videos.models import Speech
from videos.video_request import VideoRequest

A = {UploadKind.IMAGE: "an image", UploadKind.AUDIO: "audio", UploadKind.VIDEO: "a video"}


def uploads_of(requests: Iterable[VideoRequest], orderer: Orderer) -> Uploads:
    """Those that the account may use. No query where none is named, else one.

    In a transaction they are locked until its end, so that none is deleted before the video refers to it.
    """
    ids = {found for request in requests for found in _ids_in(request)}
    if not ids:
        return {}
    mine = Upload.objects.filter(account=orderer.account_id, is_test=orderer.is_test, origin=UploadOrigin.CUSTOMER)
    return {upload.pk: upload for upload in _kept(mine.filter(pk__in=ids))}


def _ids_in(request: VideoRequest) -> Iterator[UUID]:
    for named in (request.picture, request.audio, request.background):
        if named and "upload_id" in named:
            yield UUID(str(named["upload_id"]))


def audio_of(speech: Speech) -> Upload | None:
    """Its audio, locked as `uploads_of` locks; None once it was removed."""
    return next(iter(_kept(Upload.objects.filter(pk=speech.audio_id))), None) if speech.audio_id else None


def _kept(uploads: QuerySet[Upload]) -> list[Upload]:
    found = uploads.filter(deleted_at=None).order_by("pk")
    return kept_until_commit(found) if transaction.get_connection().in_atomic_block else list(found)


def required_upload(uploads: Uploads, upload_id: UUID | str | None, field: str, kind: UploadKind) -> Upload:
    """That which `field` of the request names. Raises ValidationFailed."""
    name = f"{field}.upload_id"
    upload = uploads.get(UUID(str(upload_id)))
    if upload is None:
        raise refuse_field(name, "There is no such upload.")
    if upload.status != UploadStatus.READY:
        raise refuse_field(name, "This upload is still waiting for its file.")
    if upload.kind != kind:
        raise refuse_field(name, f"This upload is {A[UploadKind(upload.kind)]}; it must be {A[kind]}.")
    return upload
