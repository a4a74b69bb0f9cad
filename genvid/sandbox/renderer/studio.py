"""The real renderer: speech, then pictures drawn once and encoded plain and, if asked, captioned."""

from contextlib import ExitStack
from math import ceil
from pathlib import Path

import numpy as np

from genvid.sandbox.renderer.captions import Captions
from genvid.sandbox.renderer.geometry import Colour, rgb
from genvid.sandbox.renderer.highlights import Highlights
from genvid.sandbox.renderer.job import Rendered, RenderJob, even
from genvid.sandbox.renderer.motion import Choreography
from genvid.sandbox.renderer.movie import Movie
from genvid.sandbox.renderer.personas import PERSONAS
from genvid.sandbox.renderer.scene import PictureScene, PresenterScene, Scene, canvas_size
from genvid.sandbox.renderer.speech import soundtrack
from genvid.sandbox.renderer.subtitle_cues import cues_of, write_srt
from genvid.sandbox.renderer.timeline import Samples, Speech
from genvid.sandbox.renderer.watermark import Watermark

DEFAULT_ACCENT: Colour = (253, 224, 71)


def render(job: RenderJob, folder: Path) -> Rendered:
    speech = soundtrack(job)
    frames = ceil(speech.duration * job.fps)
    made = Rendered(folder, frames / job.fps, cues_of(speech.words), captioned=job.burn_captions)
    highlights = Highlights(speech, job.fps)
    _film(job, made, speech, _scene(job, speech, frames), highlights)
    write_srt(made.cues, made.subtitles)
    highlights.save(made.thumbnail, made.gif)
    return made


def _scene(job: RenderJob, speech: Speech, frames: int) -> Scene:
    if job.image:
        return PictureScene(job.image, canvas_size(job), frames)
    return PresenterScene(job, Choreography(speech, frames, job.fps, job.script))


def _film(job: RenderJob, made: Rendered, speech: Speech, scene: Scene, highlights: Highlights) -> None:
    sound = _padded(speech, made.duration)
    captions = Captions(speech.words, *canvas_size(job), _accent(job))
    watermark = Watermark(job.watermark, *canvas_size(job))
    with ExitStack() as open_files:
        paths = filter(None, (made.video, made.captioned_video))
        plain, *captioned = [open_files.enter_context(_movie(path, job, sound, speech.rate)) for path in paths]
        for frame in range(round(made.duration * job.fps)):
            picture = watermark.over(scene.draw(frame))
            plain.show(picture)
            for movie in captioned:
                movie.show(captions.over(picture, frame / job.fps))
            highlights.see(frame, picture)


def _accent(job: RenderJob) -> Colour:
    """The colour of the word being spoken. A job with a picture may name no persona."""
    persona = PERSONAS.get(job.persona)
    return rgb(persona.accent) if persona else DEFAULT_ACCENT


def _movie(path: Path, job: RenderJob, sound: Samples, rate: int) -> Movie:
    movie = Movie(path, even(job.width), even(job.height), job.fps)
    movie.add_sound(sound, rate)
    return movie


def _padded(speech: Speech, seconds: float) -> Samples:
    missing = round(seconds * speech.rate) - len(speech.samples)
    return np.pad(speech.samples, (0, max(0, missing)))
