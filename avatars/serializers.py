"""Serializers of the catalogue endpoints."""

from typing import Any

from avatars.enums import AvatarKind
from genvid.api import serializers as api

FILES = "https://files.heygen.ai"


class AvatarOutput(api.OutputSerializer):
    id = api.IdField("avatar")
    name = api.TextField(example="Grace in the studio")
    gender = api.TextField(example="female")
    kind = api.EnumField(AvatarKind.choices)
    is_premium = api.FlagField(example=False)
    tags = api.TextListField(example=["business"])
    default_voice_id = api.IdField("voice", allow_null=True)
    preview_image_url = api.TextField(example=f"{FILES}/avatar/grace.webp")
    preview_video_url = api.TextField(example=f"{FILES}/avatar/grace.mp4")
    engines = api.TextListField(example=["avatar_iv", "avatar_iii"])
    orientation = api.TextField(example="landscape")
    is_available = api.FlagField(help_text="False once HeyGen has retired it: a new video is refused.")


class VoiceOutput(api.OutputSerializer):
    id = api.IdField("voice")
    name = api.TextField(example="Ada")
    language = api.TextField(example="English")
    locale = api.TextField(allow_null=True, example="en-US")
    gender = api.TextField(example="female")
    preview_audio_url = api.TextField(example=f"{FILES}/voice/ada.mp3")
    supports_pause = api.FlagField()
    is_available = api.FlagField()


def avatar_data(avatar: Any) -> dict[str, Any]:
    """`avatar` comes from `with_offered_voice()`."""
    return AvatarOutput.of(avatar, default_voice_id=avatar.offered_voice_id)


def voice_data(voice: Any) -> dict[str, Any]:
    return VoiceOutput.of(voice, locale=voice.locale or None)
