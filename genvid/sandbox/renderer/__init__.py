"""Turns a script into a talking-avatar video, offline.

`render` draws and speaks, `render_clip` is the quick stand-in for tests of what surrounds it, `take_canned` the one for
thousands at once.

Names are loaded on first use, so that reading the catalogue imports neither the codecs nor the speech model.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genvid.sandbox.renderer.catalogue import PERSONAS, VOICES, Persona, VoiceProfile
    from genvid.sandbox.renderer.clip import render_clip, take_canned
    from genvid.sandbox.renderer.job import Background, Rendered, RenderJob, UnreadableMedia
    from genvid.sandbox.renderer.previews import preview_image, preview_video, voice_sample
    from genvid.sandbox.renderer.script import Unspeakable, estimate_seconds, speakable
    from genvid.sandbox.renderer.studio import render

_HOME = {
    "PERSONAS": "catalogue",
    "VOICES": "catalogue",
    "Background": "job",
    "Persona": "catalogue",
    "RenderJob": "job",
    "Rendered": "job",
    "UnreadableMedia": "job",
    "Unspeakable": "script",
    "VoiceProfile": "catalogue",
    "estimate_seconds": "script",
    "preview_image": "previews",
    "preview_video": "previews",
    "render": "studio",
    "render_clip": "clip",
    "speakable": "script",
    "take_canned": "clip",
    "voice_sample": "previews",
}

__all__ = [
    "PERSONAS",
    "VOICES",
    "Background",
    "Persona",
    "RenderJob",
    "Rendered",
    "UnreadableMedia",
    "Unspeakable",
    "VoiceProfile",
    "estimate_seconds",
    "preview_image",
    "preview_video",
    "render",
    "render_clip",
    "speakable",
    "take_canned",
    "voice_sample",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
