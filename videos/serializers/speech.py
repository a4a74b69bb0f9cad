"""Input and output serializers of speech."""

from typing import Any

from rest_framework import serializers

from genvid.api import serializers as api
from genvid.api.serializers import EXAMPLE_SITE, DataclassSerializer, shown
from genvid.media_links import signed_link
from videos.enums import SpeechStatus
from videos.listening.prices import prices_of
from videos.listening.speech_requests import SpeechRequest
from videos.models import Speech
from videos.queue import estimates
from videos.representations import ErrorOutput
from videos.video_request import EXAMPLE_SCRIPT, NOTHING_SPEAKABLE


class SpeechInput(DataclassSerializer):
    """A script to hear, and the voice that speaks it."""

    dataclass = SpeechRequest

    def validate_script(self, script: str) -> str:
        if not estimates.is_speakable(script):
            raise serializers.ValidationError(NOTHING_SPEAKABLE)
        return script

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"request": SpeechRequest(**attrs)}


class WordOutput(api.OutputSerializer):
    word = api.TextField(example="Hello")
    start = api.FractionField(help_text="In seconds, as `end`.", example=0.1)
    end = api.FractionField(example=0.4)


class PricesOutput(api.OutputSerializer):
    """Credits of a video with this audio, exactly, in 1080p by the usual engine. Null: not offered."""

    studio_avatar = api.CreditsField(allow_null=True, example=4)
    photo_avatar = api.CreditsField(allow_null=True, example=4)
    digital_twin = api.CreditsField(allow_null=True, example=4)


class SpeechCreditsOutput(api.OutputSerializer):
    held = api.CreditsField(source="credits_held", help_text="Set aside while it is being made.", example=0)
    charged = api.CreditsField(source="credits_charged", help_text="What hearing it cost.", example=0)


def _seconds(speech: Speech) -> float | None:
    return None if speech.duration_seconds is None else float(speech.duration_seconds)


def _audio_url(speech: Speech) -> str | None:
    if speech.audio is None or not speech.audio.file:
        return None
    return signed_link(str(speech.audio.file.name), filename=speech.audio.filename)


def _prices(speech: Speech) -> dict[str, int | None] | None:
    return None if speech.duration_seconds is None else prices_of(speech.duration_seconds)


class SpeechOutput(api.OutputSerializer):
    id = api.IdField("speech")
    status = api.EnumField(SpeechStatus.choices, example="ready")
    script = api.TextField(example=EXAMPLE_SCRIPT)
    voice_id = api.IdField("voice")
    language = shown(api.TextField(allow_null=True, example="English"), lambda speech: speech.language or None)
    speed = api.FractionField(example=1.0)
    duration_seconds = shown(
        api.FractionField(allow_null=True, help_text="Of the audio; null while it is being made.", example=3.4),
        _seconds,
    )
    audio_url = shown(
        api.TextField(
            allow_null=True,
            help_text="A signed link that works for a short time and honours `Range`; ask again for a fresh one.",
            example=f"{EXAMPLE_SITE}/media/…/speech.mp3",
        ),
        _audio_url,
    )
    words = api.TextListField(child=WordOutput(), example=[{"word": "Hello", "start": 0.1, "end": 0.4}])
    prices = shown(PricesOutput(allow_null=True), _prices)
    credits = shown(SpeechCreditsOutput(), SpeechCreditsOutput.of)
    error = shown(ErrorOutput(allow_null=True), lambda speech: ErrorOutput.of(speech) if speech.error_code else None)
    expires_at = api.TimestampField(help_text="Until then a video can be ordered with it.")
    created_at = api.TimestampField()
    is_test = api.FlagField(help_text="Made for a test key: free, and spoken by the test renderer.", example=False)
