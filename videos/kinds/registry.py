"""The kinds of videos by name."""

from videos.enums import VideoKind
from videos.kinds import avatar_videos, picture_videos
from videos.kinds.subjects import Kind
from videos.models import Video
from videos.video_request import VideoRequest

KINDS: dict[VideoKind, Kind] = {VideoKind.AVATAR: avatar_videos, VideoKind.PICTURE: picture_videos}
JOINED = tuple(name for kind in KINDS.values() for name in kind.JOINED)


def kind_named(name: str) -> Kind:
    return KINDS[VideoKind(name)]


def kind_of(request: VideoRequest) -> Kind:
    """That of the one field that a valid request has."""
    return next(kind for kind in KINDS.values() if getattr(request, kind.FIELD) is not None)


def rate_of(video: Video) -> dict[str, str]:
    """What prices a second of a video: arguments of `billing.credits.price`."""
    rate_kind = kind_named(video.kind).rate_kind(video)
    return {"engine": video.engine, "avatar_kind": rate_kind, "resolution": video.resolution}
