"""What is heard in a video: a script in a voice, or a recording, whose length is known before it is paid."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from avatars.models import Upload, Voice
from videos.kinds.subjects import AssetId
from videos.models import Speech, Video
from videos.queue import estimates
from videos.speech import markup
from videos.speech.languages import locale_of

MAX_RECORDING_SECONDS = 600
"""HeyGen takes no longer audio (HeyGen v3, usage limits)."""
LONGER_SECONDS = 1
"""A render may be this much longer than its recording; more is an overrun of the hold."""
JOINED = ("voice", "audio")


@dataclass(frozen=True)
class Spoken:
    """A script that a voice speaks; how long it takes is an estimate."""

    voice: Voice

    @property
    def columns(self) -> Mapping[str, Any]:
        return {"voice": self.voice, "audio": None, "speech": None}


@dataclass(frozen=True)
class Recorded:
    """An upload, or a speech that the customer has listened to."""

    audio: Upload
    speech: Speech | None = None

    @property
    def seconds(self) -> Decimal:
        return self.audio.duration_seconds or Decimal(0)

    @property
    def columns(self) -> Mapping[str, Any]:
        if self.speech is None:
            return {"script": None, "voice": None, "audio": self.audio, "speech": None}
        said = {"script": self.speech.script, "language": self.speech.language, "speed": self.speech.speed}
        return {**said, "voice_id": self.speech.voice_id, "audio": self.audio, "speech": self.speech}


Sound = Spoken | Recorded


def seconds_to_hold(video: Video, factor: Decimal) -> Decimal:
    """The seconds whose price is held. `factor`: `billing.credits.overrun_factor`, for what can only be estimated."""
    if video.audio is not None:
        return Recorded(video.audio).seconds
    language = cast("Voice", video.voice).language
    return estimates.seconds_to_hold(video.script or "", speed=video.speed, language=language, factor=factor)


def charged_of(video: Video, cost: int, duration: Decimal) -> int:
    """What a finished video costs: of a recording never more than was held, for a frame or two at its end."""
    if video.audio_id is None or duration > video.estimated_seconds + LONGER_SECONDS:
        return cost
    return min(cost, video.credits_held)


def estimated_seconds(sound: Recorded) -> int:
    return math.ceil(sound.seconds)


def write(video: Video, asset_id: AssetId) -> Mapping[str, Any]:
    """Fields of `genvid.heygen.heygen_types.RenderSpec` that say what is heard."""
    if video.audio is not None:
        return {"audio_asset_id": asset_id(video.audio)}
    voice = cast("Voice", video.voice)
    return {
        "script": markup.on_the_wire(video.script or ""),
        "voice_id": voice.provider_id,
        "speed": video.speed if video.speed != 1.0 else None,
        "locale": locale_of(video.language) if voice.supports_locale else None,
    }
