"""The stable addresses of a video's files."""

from typing import ClassVar
from uuid import UUID

from django.http import HttpResponseRedirect
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from genvid.api.serializers import refuse_field
from genvid.api.views import StrictAPIView
from genvid.errors import NotFound
from videos.enums import Status
from videos.media import signed_link
from videos.views.common import SCOPES, one_of

CAPTIONS = {"srt": "subtitles", "vtt": "subtitles_vtt"}
EXPIRED = "This video's files were kept as long as its plan says, and are gone."
SIGNED_LINK = OpenApiResponse(description="`Location` is a signed link; it honours `Range`.")


class MediaView(StrictAPIView):
    """The stable address of one of a video's files: answers with a signed link that lives for an hour."""

    scopes = SCOPES

    def redirect(self, request: Request, pk: UUID, *, stored_as: str) -> HttpResponseRedirect:
        video = one_of(request, pk)
        stored = getattr(video, stored_as)
        if not stored:
            has_expired = video.status == Status.COMPLETED and video.expired_at is not None
            raise NotFound(EXPIRED if has_expired else "This video has no such file, or not yet.")
        redirect = HttpResponseRedirect(signed_link(stored.name))
        redirect["Cache-Control"] = "private, no-store"
        return redirect


class FileView(MediaView):
    @extend_schema(responses={302: SIGNED_LINK}, operation_id="get_video_file")
    def get(self, request: Request, pk: UUID) -> HttpResponseRedirect:
        return self.redirect(request, pk, stored_as="file")


class ThumbnailView(MediaView):
    @extend_schema(responses={302: SIGNED_LINK}, operation_id="get_video_thumbnail")
    def get(self, request: Request, pk: UUID) -> HttpResponseRedirect:
        return self.redirect(request, pk, stored_as="thumbnail")


class CaptionsView(MediaView):
    query_params: ClassVar = frozenset({"format"})

    @extend_schema(
        responses={302: SIGNED_LINK},
        operation_id="get_video_captions",
        parameters=[OpenApiParameter("format", enum=sorted(CAPTIONS), description="`srt` when left out.")],
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseRedirect:
        wanted = request.query_params.get("format", "srt")
        if wanted not in CAPTIONS:
            raise refuse_field("format", "Must be srt or vtt.")
        return self.redirect(request, pk, stored_as=CAPTIONS[wanted])
