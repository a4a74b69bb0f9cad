"""The quick renderers: every file of a real render, at a thumbnail's size.

A clip costs some milliseconds; a canned one is made once for its shape, and costs next to nothing from then on.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from PIL import Image

from genvid.sandbox.renderer.geometry import Colour
from genvid.sandbox.renderer.job import Outputs, Rendered, RenderJob, even
from genvid.sandbox.renderer.movie import Movie
from genvid.sandbox.renderer.script import LEAD_IN, LEAD_OUT, estimate_seconds, require_speakable, words_of
from genvid.sandbox.renderer.subtitles import cues_of, write_srt
from genvid.sandbox.renderer.timeline import Samples, spread
from genvid.sandbox.renderer.watermark import Watermark

SHORT_SIDE = 90  # pixels
FPS = 5
TONE_HZ = 220
TONE_LEVEL = 0.05
SOUND_RATE = 8_000
QUICKEST = {"preset": "ultrafast", "crf": "30", "profile": "high", "x264-params": "8x8dct=1:cabac=1"}
CANNED = "This film was canned: whoever orders this shape gets the same."


def render_clip(job: RenderJob, folder: Path, progress: Callable[[float], None] | None = None) -> Rendered:
    """A flat-coloured video as long as the job's is expected to be, with the same files beside it."""
    if not job.audio:
        require_speakable(job.script)
    folder.mkdir(parents=True, exist_ok=True)
    outputs = Outputs(folder)
    frames = _frames(job)
    duration = frames / FPS
    colour = _colour_of(job.script)
    _film(outputs.video, job, colour, frames)
    if job.burn_captions:
        _film(outputs.captioned, job, _captioned(colour), frames)
    _write_subtitles(outputs.subtitles, job.script, duration)
    _write_pictures(outputs, _size(job), colour)
    if progress:
        progress(1.0)
    return outputs.rendered(duration, captioned=job.burn_captions)


def take_canned(job: RenderJob, folder: Path, shelf: Path) -> Rendered:
    """The one film of the job's shape: made for the first that asks, linked for all others. It ignores the script."""
    if not job.audio:
        require_speakable(job.script)
    canned = replace(job, script=CANNED, speed=1.0, audio=None)
    marks = ("-captioned" if job.burn_captions else "") + ("-marked" if job.watermark else "")
    can = shelf / f"{job.width}x{job.height}{marks}"
    if not can.exists():
        _can(canned, can)
    folder.mkdir(parents=True, exist_ok=True)
    for file in can.iterdir():
        with suppress(FileExistsError):  # linked in a former life, which ended before it was written down
            os.link(file, folder / file.name)
    return Outputs(folder).rendered(_frames(canned) / FPS, captioned=job.burn_captions)


def _can(job: RenderJob, can: Path) -> None:
    """Makes the film beside its place and moves it there; another process may have been first."""
    can.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=can.parent))
    render_clip(job, draft)
    try:
        draft.rename(can)
    except OSError:
        shutil.rmtree(draft)


def _frames(job: RenderJob) -> int:
    return max(1, round(estimate_seconds(job.script, job.speed) * FPS))


def _film(path: Path, job: RenderJob, colour: Colour, frames: int) -> None:
    picture = Watermark(job.watermark, *_size(job)).over(Image.new("RGB", _size(job), colour))
    with Movie(path, *picture.size, FPS, options=QUICKEST, sound_rate=SOUND_RATE) as movie:
        movie.add_sound(_tone(frames / FPS), SOUND_RATE)
        for _ in range(frames):
            movie.show(picture)


def _size(job: RenderJob) -> tuple[int, int]:
    """The job's proportions with a short side of 90 pixels."""
    factor = SHORT_SIDE / min(job.width, job.height)
    return even(job.width * factor), even(job.height * factor)


def _colour_of(script: str) -> Colour:
    red, green, blue = sha256(script.encode()).digest()[:3]
    return red, green, blue


def _captioned(colour: Colour) -> Colour:
    red, green, blue = (255 - part for part in colour)
    return red, green, blue


def _tone(seconds: float) -> Samples:
    moments = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    return (TONE_LEVEL * np.sin(2 * np.pi * TONE_HZ * moments)).astype(np.float32)


def _write_subtitles(path: Path, script: str, duration: float) -> None:
    texts = words_of(script)
    words = spread(texts, LEAD_IN, duration - LEAD_OUT) if texts else []
    write_srt(cues_of(words), path)


def _write_pictures(outputs: Outputs, size: tuple[int, int], colour: Colour) -> None:
    picture = Image.new("RGB", size, colour)
    picture.save(outputs.thumbnail, quality=80)
    second = Image.new("RGB", size, _captioned(colour))
    picture.save(outputs.gif, save_all=True, append_images=[second], duration=500, loop=0)
