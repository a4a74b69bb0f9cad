"""A script as HeyGen's speech takes it: plain, or SSML where it has pauses."""

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

from videos.speech import markup

_PAUSE = re.compile(r'(<break time="[\d.]+s"/>)')


@dataclass(frozen=True)
class SpokenText:
    text: str
    has_markup: bool


def text_for(script: str) -> SpokenText:
    wire = markup.on_the_wire(script)
    parts = _PAUSE.split(wire)
    if len(parts) == 1:
        return SpokenText(wire, has_markup=False)
    # Odd parts are pauses.
    text = "".join(part if number % 2 else escape(part) for number, part in enumerate(parts))
    return SpokenText(text, has_markup=True)
