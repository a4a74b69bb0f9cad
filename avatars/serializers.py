"""Shapes of the catalogue endpoints."""

from typing import Any

from rest_framework import serializers

from avatars.enums import AvatarKind


class AvatarOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    gender = serializers.CharField()
    kind = serializers.ChoiceField(choices=AvatarKind.choices)
    is_premium = serializers.BooleanField()
    tags = serializers.ListField(child=serializers.CharField())
    default_voice_id = serializers.UUIDField(allow_null=True)
    preview_image_url = serializers.CharField()
    preview_video_url = serializers.CharField()
    engines = serializers.ListField(child=serializers.CharField())
    orientation = serializers.CharField()
    is_available = serializers.BooleanField(help_text="False once HeyGen has retired it: a new video is refused.")


class VoiceOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    language = serializers.CharField()
    locale = serializers.CharField(allow_null=True)
    gender = serializers.CharField()
    preview_audio_url = serializers.CharField()
    supports_pause = serializers.BooleanField()
    is_available = serializers.BooleanField()


AVATAR_FIELDS = tuple(AvatarOutput().fields)
VOICE_FIELDS = tuple(VoiceOutput().fields)


def avatar_data(avatar: Any) -> dict[str, Any]:
    """`avatar` comes from `with_offered_voice()`."""
    shown = {name: getattr(avatar, name) for name in AVATAR_FIELDS}
    return shown | {"default_voice_id": avatar.offered_voice_id}


def voice_data(voice: Any) -> dict[str, Any]:
    return {name: getattr(voice, name) for name in VOICE_FIELDS} | {"locale": voice.locale or None}
