"""Videos of a picture that a customer uploaded, which speaks."""

from collections.abc import Mapping
from typing import Any, cast

from avatars.enums import AvatarKind, UploadKind
from avatars.models import Upload
from videos.enums import VideoKind
from videos.kinds.material import required_upload
from videos.kinds.subjects import AssetId, Orderer, Shot, Uploads
from videos.models import Video
from videos.video_request import VideoRequest

FIELD = "picture"
JOINED: tuple[str, ...] = ("picture",)
ENGINE = "avatar_iv"
"""What HeyGen films a raw picture with; an order names none (HeyGen v3, create video page)."""


def choose(request: VideoRequest, orderer: Orderer, uploads: Uploads) -> Shot:
    picture = required_upload(uploads, request.picture_id, "picture", UploadKind.IMAGE)
    voice = orderer.voice(request.voice_id) if request.voice_id else None
    return Shot({"kind": VideoKind.PICTURE, "avatar": None, "picture": picture}, ENGINE, voice)


def rate_kind(_: Video) -> str:
    """HeyGen's price of a picture is that of a photo avatar (HeyGen v3, prices)."""
    return str(AvatarKind.PHOTO_AVATAR.value)


def write(video: Video, asset_id: AssetId) -> Mapping[str, Any]:
    return {"picture_asset_id": asset_id(cast("Upload", video.picture))}
