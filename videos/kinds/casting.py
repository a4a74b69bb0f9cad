"""Chooses for an order what is filmed and heard, as the account may use it at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from avatars.enums import UploadKind
from avatars.models import Upload, Voice
from genvid import database_clock
from genvid.api.serializers import refuse_field
from videos.enums import SpeechStatus
from videos.kinds import material, registry, sounds
from videos.kinds.sounds import Recorded, Sound, Spoken
from videos.kinds.subjects import Orderer, Shot, Uploads
from videos.kinds.voices import require_spoken, require_usable
from videos.models import Speech
from videos.video_request import VideoRequest


@dataclass(frozen=True)
class Cast:
    shot: Shot
    sound: Sound
    background: Upload | None

    @property
    def engine(self) -> str:
        return self.shot.engine

    @property
    def voice(self) -> Voice | None:
        return self.sound.voice if isinstance(self.sound, Spoken) else None

    @cached_property
    def columns(self) -> Mapping[str, Any]:
        return {**self.shot.columns, **self.sound.columns, "background_upload": self.background, "engine": self.engine}


def cast_for(request: VideoRequest, orderer: Orderer, known: Uploads | None = None) -> Cast:
    """Raises ValidationFailed that names the field of what the account may not use. `known`: uploads, already read."""
    uploads = material.uploads_of([request], orderer) if known is None else known
    shot = registry.kind_of(request).choose(request, orderer, uploads)
    return Cast(shot, _sound(request, orderer, uploads, shot), _background(request, uploads))


def _sound(request: VideoRequest, orderer: Orderer, uploads: Uploads, shot: Shot) -> Sound:
    if request.speech_id is not None:
        return _require_length(_speech(request, orderer), "speech_id")
    if request.audio is not None:
        audio = material.required_upload(uploads, request.audio_id, "audio", UploadKind.AUDIO)
        return _require_length(Recorded(audio), "audio.upload_id")
    return Spoken(_voice(request, orderer, shot))


def _require_length(recorded: Recorded, field: str) -> Recorded:
    if recorded.seconds > sounds.MAX_RECORDING_SECONDS:
        raise refuse_field(field, f"Is longer than {sounds.MAX_RECORDING_SECONDS} seconds.")
    return recorded


def _speech(request: VideoRequest, orderer: Orderer) -> Recorded:
    mine = Speech.objects.filter(account=orderer.account_id, is_test=orderer.is_test)
    speech = mine.select_related("voice").filter(pk=request.speech_id).first()
    if speech is None:
        raise refuse_field("speech_id", "There is no such speech.")
    if speech.status != SpeechStatus.READY:
        raise refuse_field("speech_id", f"This speech is not ready: it is {speech.get_status_display()}.")
    if not speech.voice.is_released_to(orderer.account_id):
        raise refuse_field("speech_id", "The voice of this speech may no longer be used.")
    is_over = speech.expires_at is not None and speech.expires_at <= database_clock.now()
    audio = None if is_over else material.audio_of(speech)
    if audio is None:
        raise refuse_field("speech_id", "This speech has expired: have it made again.")
    return Recorded(audio, speech)


def _voice(request: VideoRequest, orderer: Orderer, shot: Shot) -> Voice:
    own = shot.voice
    if request.voice_id is None and (own is None or not own.is_available or not own.is_ready):
        raise refuse_field("voice_id", "This avatar has no voice of its own: choose one.")
    voice = require_usable(own, orderer)
    require_spoken(request.language or "", voice)
    return voice


def _background(request: VideoRequest, uploads: Uploads) -> Upload | None:
    if not request.background or "upload_id" not in request.background:
        return None
    return material.required_upload(uploads, request.background["upload_id"], "background", UploadKind.IMAGE)
