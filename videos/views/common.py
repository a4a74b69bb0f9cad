"""What the views of this room share: whose videos, one of them, and its shape."""

from typing import Any
from uuid import UUID

import structlog
from rest_framework.request import Request

from accounts.caller import caller_of
from accounts.enums import Scope
from genvid.api.views import one_or_404
from videos import places
from videos.models import Video
from videos.querysets import VideoQuerySet
from videos.serializers import video_data

SCOPES = {
    "GET": Scope.VIDEOS_READ,
    "POST": Scope.VIDEOS_WRITE,
    "PATCH": Scope.VIDEOS_WRITE,
    "DELETE": Scope.VIDEOS_WRITE,
}


def videos_of(request: Request) -> VideoQuerySet:
    """Those of the caller's account. A key sees those of its own mode alone; people see both."""
    caller = caller_of(request)
    mine = Video.objects.of_account(caller.account_id)
    return mine if caller.key_id is None else mine.filter(is_test=caller.is_test)


def one_of(request: Request, pk: UUID) -> Video:
    structlog.contextvars.bind_contextvars(video_id=str(pk))
    video: Video = one_or_404(videos_of(request).select_related("avatar"), pk=pk)
    return video


def data_of(video: Video) -> dict[str, Any]:
    """A video, with its place in the queue looked up if it waits there."""
    return video_data(video, places.of_videos([video]).get(video.pk))
