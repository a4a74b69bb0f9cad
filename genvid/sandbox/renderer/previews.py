"""Stills and samples for choosing a presenter and a voice."""

from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from genvid.sandbox.renderer.artwork import artwork
from genvid.sandbox.renderer.catalogue import PERSONAS, VOICES
from genvid.sandbox.renderer.job import RenderJob
from genvid.sandbox.renderer.motion import Choreography
from genvid.sandbox.renderer.scene import PresenterScene
from genvid.sandbox.renderer.speech import PEAK, speak
from genvid.sandbox.renderer.studio import render
from genvid.sandbox.renderer.timeline import Speech, normalised

GREETINGS = {
    "English": "Hi, I'm {name}. Give me a script, and I will read it for you.",
    "Spanish": "Hola, soy {name}. Dame un guion y lo leeré por ti.",
    "French": "Bonjour, je suis {name}. Donnez-moi un texte et je le lirai.",
    "German": "Hallo, ich bin {name}. Gib mir einen Text, und ich lese ihn vor.",
    "Portuguese": "Olá, eu sou {name}. Me dê um texto e eu leio para você.",
    "Italian": "Ciao, sono {name}. Dammi un testo e lo leggerò per te.",
}
PREVIEW_SIZE = (640, 360)
STILL = Speech(np.zeros(24_000, np.float32), 24_000)


def preview_image(
    persona: str, path: Path, width: int = 640, height: int = 360, *, cache_dir: Path | None = None
) -> Path:
    """A JPEG of the presenter before speaking; sizes in pixels."""
    job = RenderJob("", persona, PERSONAS[persona].default_voice, width, height)
    choreography = Choreography(STILL, frames=job.fps, fps=job.fps, seed=persona)
    PresenterScene(job, choreography, artwork(cache_dir)).draw(0).save(path, "JPEG", quality=88)
    return path


def preview_video(persona: str, path: Path, *, cache_dir: Path | None = None) -> Path:
    """A few seconds of the presenter saying hello, 640x360."""
    presenter = PERSONAS[persona]
    greeting = GREETINGS["English"].format(name=presenter.name)
    job = RenderJob(greeting, persona, presenter.default_voice, *PREVIEW_SIZE)
    with TemporaryDirectory(dir=path.parent) as folder:
        render(job, Path(folder), cache_dir=cache_dir).video.replace(path)
    return path


def voice_sample(voice: str, path: Path) -> Path:
    """The voice saying hello in its language; the name's ending chooses the format (.mp3 or .wav)."""
    profile = VOICES[voice]
    speech = speak(GREETINGS[profile.language].format(name=profile.name), profile)
    frame = av.AudioFrame.from_ndarray(normalised(speech.samples, PEAK)[None, :], "flt", "mono")
    frame.sample_rate, frame.pts = speech.rate, 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mp3" if path.suffix == ".mp3" else "pcm_s16le", rate=24_000)
        stream.codec_context.layout = "mono"
        resampler = av.AudioResampler(stream.format, "mono", stream.rate, frame_size=stream.codec_context.frame_size)
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return path
