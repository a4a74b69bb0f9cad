"""What a script may hold for a voice, and what its client should know of the two together."""

import math

from avatars.models import Voice
from genvid.api.serializers import refuse_field
from videos import estimates
from videos.speech import markup
from videos.speech.length import length_of
from videos.speech.warnings import Warned, warnings_for

MOST_CHARACTERS = 5000
NO_PAUSES = 'The voice "{}" makes no pauses: leave <break time="…"/> out, or choose a voice with `supports_pause`.'


def problem_of(script: str, voice: Voice) -> str:
    """Why the voice cannot speak it as it is meant, in words; empty when it can."""
    try:
        markup.require_known_tags(script)
    except markup.UnknownTag as error:
        return str(error)
    if not markup.pauses_of(script):
        return ""
    if not voice.supports_pause:
        return NO_PAUSES.format(voice.name)
    if (characters := len(markup.on_the_wire(script))) > MOST_CHARACTERS:
        return f"Is {characters} characters long with a space around each pause; at most {MOST_CHARACTERS}."
    return ""


def require_understood(script: str, voice: Voice) -> None:
    """Raises ValidationFailed on `script` for a tag that is no pause, and for pauses of a voice that has none."""
    if problem := problem_of(script, voice):
        raise refuse_field("script", problem)


def warnings_of(script: str, voice: Voice, *, speed: float) -> list[Warned]:
    length = length_of(script, speed=speed, language=voice.language)
    usual = estimates.with_margin(math.ceil(length.expected))
    return warnings_for(script, language=voice.language, length=length, usual_seconds=usual)
