"""Checks a voice that a request names, for videos and for speech."""

from avatars.models import Voice
from genvid.api.serializers import refuse_field
from videos.kinds.subjects import Orderer
from videos.speech.languages import language_name, voice_speaks


def require_usable(voice: Voice | None, orderer: Orderer) -> Voice:
    """The voice, if this account may use it now. Raises ValidationFailed."""
    if voice is None or not orderer.has_mode_of(voice):
        raise refuse_field("voice_id", "There is no such voice.")
    if not voice.is_available:
        raise refuse_field("voice_id", "This voice has been retired.")
    if not voice.is_ready:
        raise refuse_field("voice_id", f"This voice is not ready: it is {voice.get_status_display()}.")
    return voice


def require_spoken(language: str, voice: Voice) -> None:
    """Raises ValidationFailed for a language that is none, or that the voice does not speak. "": any."""
    if not language or voice_speaks(voice.language, language):
        return
    if language_name(language) is None:
        raise refuse_field("language", "Is neither a language nor a language code.")
    raise refuse_field("voice_id", f"This voice speaks {voice.language}, not {language}.")
