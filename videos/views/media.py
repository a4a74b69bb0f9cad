"""The stable addresses of a video's files."""

from uuid import UUID

from django.http import HttpResponseRedirect
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from genvid.api.views import StrictAPIView
from genvid.errors import NotFound
from videos.media import signed_link
from videos.views.common import SCOPES, one_of

SIGNED_LINK = OpenApiResponse(description="`Location` is a signed link; it honours `Range`.")


class MediaView(StrictAPIView):
    """The stable address of one of a video's files: answers with a signed link that lives for an hour."""

    scopes = SCOPES

    def redirect(self, request: Request, pk: UUID, *, stored_as: str) -> HttpResponseRedirect:
        stored = getattr(one_of(request, pk), stored_as)
        if not stored:
            raise NotFound("This video has no such file, or not yet.")
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
    @extend_schema(responses={302: SIGNED_LINK}, operation_id="get_video_captions")
    def get(self, request: Request, pk: UUID) -> HttpResponseRedirect:
        return self.redirect(request, pk, stored_as="subtitles")
