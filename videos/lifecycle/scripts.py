"""Validates a script against its voice, and warns of likely mistakes."""

import math

from avatars.models import Voice
from genvid.api.serializers import refuse_field
from videos.queue import estimates
from videos.speech import markup
from videos.speech.length import length_of
from videos.speech.warnings import Warned, warnings_for
from videos.video_request import SCRIPT_LIMIT

TOO_LONG = f"Would speak for longer than {estimates.MAX_SECONDS // 60} minutes."
NO_PAUSES = 'The voice "{}" makes no pauses: leave <break time="…"/> out, or choose a voice with `supports_pause`.'


def script_problem(script: str, voice: Voice, *, speed: float) -> str:
    """Why the voice cannot speak the script, or not within the maximum length, as text; "" when it can."""
    if problem := _markup_problem(script, voice):
        return problem
    seconds = estimates.spoken_seconds(script, speed=speed, language=voice.language)
    return TOO_LONG if seconds > estimates.MAX_SECONDS else ""


def _markup_problem(script: str, voice: Voice) -> str:
    try:
        markup.require_known_tags(script)
    except markup.UnknownTag as error:
        return str(error)
    if not markup.pauses_of(script):
        return ""
    if not voice.supports_pause:
        return NO_PAUSES.format(voice.name)
    if (characters := len(markup.on_the_wire(script))) > SCRIPT_LIMIT:
        return f"Is {characters} characters long with a space around each pause; at most {SCRIPT_LIMIT}."
    return ""


def require_understood(script: str, voice: Voice) -> None:
    """Raises ValidationFailed for tags and pauses that the voice does not make."""
    if problem := _markup_problem(script, voice):
        raise refuse_field("script", problem)


def warnings_of(script: str, voice: Voice, *, speed: float) -> list[Warned]:
    length = length_of(script, speed=speed, language=voice.language)
    usual = estimates.with_margin(math.ceil(length.expected))
    return warnings_for(script, language=voice.language, length=length, usual_seconds=usual)
