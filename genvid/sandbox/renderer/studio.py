"""The real renderer: speech, then pictures drawn once and encoded plain and, if asked, captioned."""

from collections.abc import Callable
from contextlib import ExitStack
from math import ceil
from pathlib import Path

import numpy as np

from genvid.sandbox.renderer.artwork import artwork
from genvid.sandbox.renderer.captions import Captions
from genvid.sandbox.renderer.catalogue import PERSONAS
from genvid.sandbox.renderer.geometry import Colour, rgb
from genvid.sandbox.renderer.highlights import Highlights
from genvid.sandbox.renderer.job import Outputs, Rendered, RenderJob, even
from genvid.sandbox.renderer.motion import Choreography
from genvid.sandbox.renderer.movie import Movie
from genvid.sandbox.renderer.scene import PictureScene, PresenterScene, Scene, canvas_size
from genvid.sandbox.renderer.speech import soundtrack
from genvid.sandbox.renderer.subtitles import cues_of, write_srt
from genvid.sandbox.renderer.timeline import Samples, Speech
from genvid.sandbox.renderer.watermark import Watermark

SPEAKING = 0.02  # share of the work done once the speech is there
DEFAULT_ACCENT: Colour = (253, 224, 71)
REPORT_EVERY = 10  # frames

Progress = Callable[[float], None]


def ignore(share: float) -> None:
    """A progress callback for those who do not ask."""


def render(job: RenderJob, folder: Path, progress: Progress = ignore, *, cache_dir: Path | None = None) -> Rendered:
    """Makes the job's video in the folder, telling `progress` the share done (0-1).

    Layers drawn once are kept under `cache_dir`, or under the folder SANDBOX_CACHE_DIR names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outputs = Outputs(folder)
    speech = soundtrack(job)
    progress(SPEAKING)
    frames = ceil(speech.duration * job.fps)
    scene = _scene(job, speech, frames, cache_dir)
    highlights = Highlights(speech, job.fps)
    _film(job, outputs, speech, frames, scene, highlights, progress)
    write_srt(cues_of(speech.words), outputs.subtitles)
    highlights.save(outputs.thumbnail, outputs.gif)
    progress(1.0)
    return outputs.rendered(frames / job.fps, captioned=job.burn_captions)


def _scene(job: RenderJob, speech: Speech, frames: int, cache_dir: Path | None) -> Scene:
    if job.image:
        return PictureScene(job.image, canvas_size(job), frames)
    choreography = Choreography(speech, frames, job.fps, job.script)
    return PresenterScene(job, choreography, artwork(cache_dir))


def _film(
    job: RenderJob,
    outputs: Outputs,
    speech: Speech,
    frames: int,
    scene: Scene,
    highlights: Highlights,
    progress: Progress,
) -> None:
    sound = _padded(speech, frames / job.fps)
    with ExitStack() as open_files:
        plain = open_files.enter_context(_movie(outputs.video, job, sound, speech.rate))
        captioned = None
        if job.burn_captions:
            captioned = open_files.enter_context(_movie(outputs.captioned, job, sound, speech.rate))
        captions = Captions(speech.words, *canvas_size(job), _accent(job))
        watermark = Watermark(job.watermark, *canvas_size(job))
        for frame in range(frames):
            picture = watermark.over(scene.draw(frame))
            plain.show(picture)
            if captioned:
                captioned.show(captions.over(picture, frame / job.fps))
            highlights.see(frame, picture)
            if frame % REPORT_EVERY == 0:
                progress(SPEAKING + (1 - SPEAKING) * frame / frames)


def _accent(job: RenderJob) -> Colour:
    """The colour of the word being spoken; a picture's own job need not name a persona."""
    persona = PERSONAS.get(job.persona)
    return rgb(persona.accent) if persona else DEFAULT_ACCENT


def _movie(path: Path, job: RenderJob, sound: Samples, rate: int) -> Movie:
    movie = Movie(path, even(job.width), even(job.height), job.fps)
    movie.add_sound(sound, rate)
    return movie


def _padded(speech: Speech, seconds: float) -> Samples:
    """The samples lengthened by silence to end with the last frame."""
    missing = round(seconds * speech.rate) - len(speech.samples)
    return np.pad(speech.samples, (0, max(0, missing)))
