"""Videos of an avatar: of the catalogue, or the account's own."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django.conf import settings

from avatars.avatar_kinds import kind_of
from avatars.models import Avatar
from avatars.offers import offered_cast
from genvid.api.serializers import refuse_field
from videos.enums import VideoKind
from videos.kinds.subjects import AssetId, Orderer, Shot, Uploads
from videos.models import Video
from videos.video_request import VideoRequest

FIELD = "avatar_id"
JOINED: tuple[str, ...] = ("avatar",)


def choose(request: VideoRequest, orderer: Orderer, _: Uploads) -> Shot:
    avatar, voice = offered_cast(orderer.account_id, cast("UUID", request.avatar_id), request.voice_id)
    if avatar is None or not orderer.has_mode_of(avatar):
        raise refuse_field("avatar_id", "There is no such avatar.")
    if not avatar.is_available:
        raise refuse_field("avatar_id", "This avatar has been retired.")
    if not avatar.is_ready:
        raise refuse_field("avatar_id", f"This avatar is not ready: it is {avatar.get_status_display()}.")
    columns = {"kind": VideoKind.AVATAR, "avatar": avatar, "picture": None}
    return Shot(columns, _engine_for(avatar), voice)


def rate_kind(video: Video) -> str:
    if Video.avatar.is_cached(video):
        return cast("Avatar", video.avatar).kind
    return kind_of(cast("UUID", video.avatar_id))


def write(video: Video, _: AssetId) -> Mapping[str, Any]:
    avatar = cast("Avatar", video.avatar)
    return {"avatar_id": avatar.provider_id, "avatar_kind": avatar.kind}


def _engine_for(avatar: Avatar) -> str:
    if not avatar.engines or settings.HEYGEN_ENGINE in avatar.engines:
        return str(settings.HEYGEN_ENGINE)
    return str(avatar.engines[0])
