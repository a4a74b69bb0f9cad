"""What the views of this room share: whose videos, one of them, and its shape."""

from typing import Any
from uuid import UUID

import structlog
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from accounts.caller import caller_of
from accounts.enums import Scope
from genvid.api.views import one_or_404
from videos import places
from videos.models import Video
from videos.querysets import VideoQuerySet
from videos.serializers import video_data

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="1 to 255 of A-Z a-z 0-9 _ : . -; a repetition within 24 hours gets the first answer again.",
)
SCOPES = {
    "GET": Scope.VIDEOS_READ,
    "POST": Scope.VIDEOS_WRITE,
    "PATCH": Scope.VIDEOS_WRITE,
    "DELETE": Scope.VIDEOS_WRITE,
}


def videos_of(request: Request) -> VideoQuerySet:
    return Video.objects.of_account(caller_of(request).account_id)


def one_of(request: Request, pk: UUID) -> Video:
    structlog.contextvars.bind_contextvars(video_id=str(pk))
    video: Video = one_or_404(videos_of(request).select_related("avatar"), pk=pk)
    return video


def data_of(video: Video) -> dict[str, Any]:
    """A video, with its place in the queue looked up if it waits there."""
    return video_data(video, places.of_videos([video]).get(video.pk))
