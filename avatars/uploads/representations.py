"""Uploads as the API shows them."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from avatars.enums import UploadKind, UploadStatus
from avatars.models import Upload
from avatars.uploads.direct import UploadForm
from avatars.uploads.references import used_of
from genvid.api import serializers as api
from genvid.api.serializers import EXAMPLE_SITE, example_id
from genvid.errors import UploadRefused

BUCKET = "https://bucket.example.com"


class UploadErrorOutput(api.OutputSerializer):
    code = api.TextField(example=UploadRefused.code)
    message = api.TextField(example="The recording is longer than 600 seconds.")


class UploadOutput(api.OutputSerializer):
    id = api.IdField("upload")
    kind = api.EnumField(UploadKind.choices, example="image")
    status = api.EnumField(
        UploadStatus.choices,
        example="ready",
        help_text="`waiting`: for its bytes, or for our check of them. `refused`: the check found it unusable; `error` "
        "says why, and nothing of it is kept.",
    )
    filename = api.TextField(example="me.jpg")
    bytes = api.NumberField(help_text="Of the copy that we keep; while `waiting`, as announced.", example=254_113)
    width = api.NumberField(allow_null=True, help_text="In pixels; null for audio.", example=2048)
    height = api.NumberField(allow_null=True, example=1536)
    duration_seconds = api.FractionField(
        allow_null=True, help_text="Counted from what was decoded, to the millisecond; null for images.", example=None
    )
    in_use = api.FlagField(help_text="Whether something is made with it: then it cannot be deleted.", example=False)
    notes = api.TextListField(
        help_text="What was changed about the file.", example=["Scaled from 4032 by 3024 to 2048 by 1536 pixels."]
    )
    is_test = api.FlagField(help_text="Sent with a test key: for what test keys make alone.", example=False)
    url = api.TextField(
        allow_null=True,
        help_text="Stable address of the file, which redirects to a signed link; null unless `ready`.",
        example=f"{EXAMPLE_SITE}/api/v1/uploads/{example_id('upload')}/file",
    )
    error = UploadErrorOutput(allow_null=True, help_text="Why it is `refused`; null otherwise.")
    expires_at = api.TimestampField(
        allow_null=True, help_text="When it is deleted, if nothing uses it; null while something does."
    )
    created_at = api.TimestampField()


class NewUploadOutput(UploadOutput):
    upload_url = api.TextField(
        required=False, help_text="Where to POST the file, where it goes straight to the bucket.", example=BUCKET
    )
    upload_fields = api.TextDictField(
        required=False,
        help_text="Fields of that form, all of them, before the field `file`.",
        example={"key": "uploads/incoming/1/2", "Content-Type": "image/jpeg"},
    )


def represent_uploads(uploads: Sequence[Upload]) -> list[dict[str, Any]]:
    used = used_of([upload.pk for upload in uploads])
    return [_represent(upload, in_use=upload.pk in used) for upload in uploads]


def _represent(upload: Upload, *, in_use: bool) -> dict[str, Any]:
    seconds = upload.duration_seconds
    is_refused = upload.status == UploadStatus.REFUSED
    return UploadOutput.of(
        upload,
        duration_seconds=None if seconds is None else float(seconds),
        in_use=in_use,
        url=f"{settings.PUBLIC_URL}/api/v1/uploads/{upload.pk}/file" if upload.status == UploadStatus.READY else None,
        error=UploadErrorOutput.of(None, code=UploadRefused.code, message=upload.refusal) if is_refused else None,
        expires_at=None if in_use else upload.expires_at,
    )


def represent_new(upload: Upload, form: UploadForm | None) -> dict[str, Any]:
    [shown] = represent_uploads([upload])
    if form is None:
        return shown
    return shown | {"upload_url": form.url, "upload_fields": form.fields, "expires_at": form.expires_at}
