"""The stable addresses of a video's files: `videos/{id}/file`, `thumbnail` and `captions`."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponseRedirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from accounts.enums import Scope
from genvid.api.endpoints import Endpoint
from genvid.api.serializers import refuse_field
from genvid.errors import NotFound
from genvid.media_links import signed_link
from videos.enums import Status
from videos.media.file_names import filename_of
from videos.models import Video

CAPTIONS = {"srt": "subtitles", "vtt": "subtitles_vtt"}
EXPIRED = "This video's files were kept as long as its plan says, and are gone."
SIGNED_LINK = OpenApiResponse(description="`Location` is a signed link; it honours `Range`.")


class VideoFilesMixin:
    endpoints: ClassVar = {
        "file": Endpoint(
            "get_video_file",
            scope=Scope.VIDEOS_READ,
            response=SIGNED_LINK,
            status=302,
            also={
                (200, "video/mp4"): OpenApiResponse(
                    OpenApiTypes.BINARY, description="What the link leads to: the film."
                )
            },
        ),
        "thumbnail": Endpoint(
            "get_video_thumbnail",
            scope=Scope.VIDEOS_READ,
            response=SIGNED_LINK,
            status=302,
            also={
                (200, "image/jpeg"): OpenApiResponse(
                    OpenApiTypes.BINARY, description="What the link leads to: the picture."
                )
            },
        ),
        "captions": Endpoint(
            "get_video_captions",
            scope=Scope.VIDEOS_READ,
            response=SIGNED_LINK,
            status=302,
            parameters=(OpenApiParameter("format", enum=sorted(CAPTIONS), description="`srt` when left out."),),
            also={
                (200, kind): OpenApiResponse(OpenApiTypes.BINARY, description="What the link leads to: the captions.")
                for kind in ("application/x-subrip", "text/vtt")
            },
        ),
    }

    @action(detail=True, methods=["get"])
    def file(self: Any, request: Request, pk: UUID) -> HttpResponseRedirect:
        """Get the MP4.

        Redirects to a short-lived link that honours `Range`.
        """
        return redirect_to(self.get_object(), "file")

    @action(detail=True, methods=["get"])
    def thumbnail(self: Any, request: Request, pk: UUID) -> HttpResponseRedirect:
        """Get the thumbnail.

        Redirects to a short-lived link to a JPEG.
        """
        return redirect_to(self.get_object(), "thumbnail")

    @action(detail=True, methods=["get"])
    def captions(self: Any, request: Request, pk: UUID) -> HttpResponseRedirect:
        """Get the captions.

        Redirects to a short-lived link to an SRT or VTT file.
        """
        wanted = request.query_params.get("format", "srt")
        if wanted not in CAPTIONS:
            raise refuse_field("format", "Must be srt or vtt.")
        return redirect_to(self.get_object(), CAPTIONS[wanted])


def redirect_to(video: Video, stored_as: str) -> HttpResponseRedirect:
    """Raises NotFound for a file that does not exist yet or has expired."""
    stored = getattr(video, stored_as)
    if not stored:
        has_expired = video.status == Status.COMPLETED and video.expired_at is not None
        raise NotFound(EXPIRED if has_expired else "This video has no such file, or not yet.")
    redirect = HttpResponseRedirect(signed_link(stored.name, filename=filename_of(video, stored.name)))
    redirect["Cache-Control"] = "private, no-store"
    return redirect
