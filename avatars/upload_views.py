"""Upload endpoints: files that customers bring."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponseRedirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from avatars.enums import UploadOrigin, UploadStatus
from avatars.models import Upload
from avatars.uploads import completion, direct, intake, removal
from avatars.uploads.intake import Sender
from avatars.uploads.representations import NewUploadOutput, UploadOutput, represent_new, represent_uploads
from genvid.api import serializers as api
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.api.parsers import StrictJSONParser
from genvid.api.serializers import StrictCharField, StrictIntegerField, StrictSerializer
from genvid.api.streamed_forms import StreamedFormParser
from genvid.errors import NotFound
from genvid.media_links import signed_link

MOST_BYTES = 2**53 - 1
"""The largest number that every JSON parser reads. What is too large for its kind answers so."""
SERVED = ("audio/mpeg", "audio/wav", "image/jpeg", "image/png", "video/mp4", "video/webm")
TAKES = ("upload_refused", "upload_too_large")


@extend_schema_field(OpenApiTypes.BINARY)
class UploadedFileField(serializers.FileField):
    """At most 20 MiB: JPEG, PNG, WebP, WAV, MP3, MP4 or WebM, whatever its name says."""


class UploadFormInput(StrictSerializer):
    file = UploadedFileField(allow_empty_file=True)


class DirectUploadInput(StrictSerializer):
    """A file that you will send straight to the bucket."""

    filename = StrictCharField(max_length=255, example="me.jpg")
    content_type = api.StrictChoiceField([(each, each) for each in direct.KINDS], example="image/jpeg")
    size_bytes = StrictIntegerField(min_value=1, max_value=MOST_BYTES, example=1_254_113)
    sha256 = StrictCharField(
        required=False,
        min_length=64,
        max_length=64,
        help_text="In small hexadecimal digits; the file is refused where it has another.",
        example="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )

    def validate_sha256(self, value: str) -> str:
        if not set(value) <= set("0123456789abcdef"):
            raise serializers.ValidationError("Must be 64 digits of 0-9 and a-f.")
        return value


class UploadViewSet(AccountViewSet):
    tag = "Uploads"
    queryset = Upload.objects.filter(origin=UploadOrigin.CUSTOMER, deleted_at=None)
    endpoints: ClassVar = {
        "create": Endpoint(
            "create_upload",
            scope=Scope.UPLOADS_WRITE,
            verified_email=True,
            request={"application/json": DirectUploadInput, "multipart/form-data": UploadFormInput},
            parsers=(StrictJSONParser, StreamedFormParser),
            response=NewUploadOutput,
            status=201,
            idempotency=Idempotency.EXTERNAL,
            errors=TAKES,
            example={"error": None},
        ),
        "complete": Endpoint(
            "complete_upload",
            scope=Scope.UPLOADS_WRITE,
            response=UploadOutput,
            also={202: UploadOutput},
            errors=("upload_refused", "invalid_state"),
        ),
        "list": Endpoint(
            "list_uploads", "List the uploads", scope=Scope.VIDEOS_READ, response=UploadOutput, many=True, etag=True
        ),
        "retrieve": Endpoint("get_upload", "Show an upload", scope=Scope.VIDEOS_READ, response=UploadOutput, etag=True),
        "destroy": Endpoint("delete_upload", scope=Scope.UPLOADS_WRITE, errors=("conflict",)),
        "file": Endpoint(
            "get_upload_file",
            scope=Scope.VIDEOS_READ,
            response=OpenApiResponse(description="`Location` is a signed link; it honours `Range`."),
            status=302,
            also={
                (200, kind): OpenApiResponse(
                    OpenApiTypes.BINARY, description="What the link leads to: the checked copy."
                )
                for kind in SERVED
            },
        ),
    }

    def get_queryset(self) -> QuerySet[Any]:
        mine = super().get_queryset()
        return mine if self.caller.key_id is None else mine.filter(is_test=self.caller.is_test)

    def represent(self, rows: Sequence[Any]) -> list[Any]:
        return represent_uploads(rows)

    def list(self, request: Request) -> Response:
        return self.page(self.get_queryset())

    def retrieve(self, request: Request, **lookup: Any) -> Response:
        return Response(self.represent_one(self.get_object()))

    def create(self, request: Request) -> Response:
        """Upload a file.

        As `multipart/form-data` with the field `file` (at most 20 MiB): checked, cleaned and `ready` in the answer. Or
        as JSON, where this site has a bucket: the answer has `upload_url` and `upload_fields` for a POST form of your
        own, after which you call `complete`. Without a bucket JSON is refused.

        Pictures are turned upright, scaled to 2,048 pixels at most, and lose their metadata; `notes` says what was
        changed. Audio may have 600 seconds, video too. What nothing uses is deleted after seven days.
        """
        file = self.body.get("file")
        if file is None:
            upload, form = direct.begin(self._sender, direct.Announcement(**self.body), upload_id=self.object_id)
            return Response(represent_new(upload, form), status=201)
        with file:
            path = Path(file.temporary_file_path())
            upload = intake.receive(self._sender, path, filename=file.name, upload_id=self.object_id)
        return Response(represent_new(upload, None), status=201)

    @property
    def _sender(self) -> Sender:
        caller = self.caller
        return Sender(caller.account_id, caller.user_id, caller.key_id, is_test=caller.is_test)

    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: UUID) -> Response:
        """Say that the file has arrived in the bucket.

        Checks it and answers 200 with the upload, `ready`. A file beyond 20 MiB is checked in the background: 202,
        still `waiting`; ask again, here or with GET, until it is `ready` or `refused`. Safe to repeat.
        """
        upload = completion.complete(self.get_object())
        status = 202 if upload.status == UploadStatus.WAITING else 200
        return Response(self.represent_one(upload), status=status)

    def destroy(self, request: Request, **lookup: Any) -> Response:
        """Delete an upload.

        The file is removed here and at HeyGen soon after. One that something is made with is refused.
        """
        removal.delete_upload(self.get_object())
        return Response(status=204)

    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: UUID) -> HttpResponseRedirect:
        """Get the file.

        Redirects to a short-lived link to the checked copy, which browsers save rather than show.
        """
        upload = self.get_object()
        if upload.status != UploadStatus.READY:
            raise NotFound("This upload has no file, or not yet.")
        link = signed_link(upload.file.name, filename=upload.filename, as_attachment=True)
        redirect = HttpResponseRedirect(link)
        redirect["Cache-Control"] = "private, no-store"
        return redirect
