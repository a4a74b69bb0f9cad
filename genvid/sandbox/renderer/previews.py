"""Stills and samples for choosing a presenter and a voice."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from genvid.sandbox.renderer.job import RenderJob
from genvid.sandbox.renderer.motion import Choreography
from genvid.sandbox.renderer.personas import PERSONAS
from genvid.sandbox.renderer.scene import PresenterScene
from genvid.sandbox.renderer.speech import PEAK, speak, write_wav
from genvid.sandbox.renderer.studio import render
from genvid.sandbox.renderer.timeline import Speech, normalised
from genvid.sandbox.renderer.voice_profiles import VOICES

GREETINGS = {
    "English": "Hi, I'm {name}. Give me a script, and I will read it for you.",
    "Spanish": "Hola, soy {name}. Dame un guion y lo leeré por ti.",
    "French": "Bonjour, je suis {name}. Donnez-moi un texte et je le lirai.",
    "German": "Hallo, ich bin {name}. Gib mir einen Text, und ich lese ihn vor.",
    "Portuguese": "Olá, eu sou {name}. Me dê um texto e eu leio para você.",
    "Italian": "Ciao, sono {name}. Dammi un testo e lo leggerò per te.",
}
SIZE = (640, 360)
STILL = Speech(np.zeros(24_000, np.float32), 24_000)


def preview_image(persona: str, path: Path) -> None:
    job = RenderJob("", persona, PERSONAS[persona].default_voice, *SIZE)
    motion = Choreography(STILL, frames=job.fps, fps=job.fps, seed=persona)
    PresenterScene(job, motion).draw(0).save(path, "JPEG", quality=88)


def preview_video(persona: str, path: Path) -> None:
    presenter = PERSONAS[persona]
    greeting = GREETINGS["English"].format(name=presenter.name)
    job = RenderJob(greeting, persona, presenter.default_voice, *SIZE)
    with TemporaryDirectory(dir=path.parent) as folder:
        render(job, Path(folder)).video.replace(path)


def voice_sample(voice: str, path: Path) -> None:
    profile = VOICES[voice]
    said = speak(GREETINGS[profile.language].format(name=profile.name), profile)
    write_wav(normalised(said.samples, PEAK), said.rate, path)
