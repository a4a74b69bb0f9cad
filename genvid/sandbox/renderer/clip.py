"""The quick renderers: every file of a real render, at a thumbnail's size.

A clip costs some milliseconds; a canned one is made once for its shape, and costs next to nothing from then on.
"""

import math
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from PIL import Image

from genvid.sandbox.renderer.geometry import Colour
from genvid.sandbox.renderer.job import Rendered, RenderJob, even
from genvid.sandbox.renderer.movie import Movie
from genvid.sandbox.renderer.script import LEAD_IN, LEAD_OUT, estimate_seconds, require_speakable, words_of
from genvid.sandbox.renderer.speech import recording_seconds
from genvid.sandbox.renderer.subtitle_cues import cues_of, write_srt
from genvid.sandbox.renderer.timeline import Samples, spread
from genvid.sandbox.renderer.watermark import Watermark

SHORT_SIDE = 90  # pixels
FPS = 5
TONE_HZ = 220
TONE_LEVEL = 0.05
SOUND_RATE = 8_000
QUICKEST = {"preset": "ultrafast", "crf": "30", "profile": "high", "x264-params": "8x8dct=1:cabac=1"}
CANNED = "This film was canned: whoever orders this shape gets the same."


def render_clip(job: RenderJob, folder: Path) -> Rendered:
    made = _planned(job, folder)
    colour = _colour_of(job.script)
    _film(made.video, job, colour, made.duration)
    if made.captioned_video:
        _film(made.captioned_video, job, _inverted(colour), made.duration)
    write_srt(made.cues, made.subtitles)
    _write_pictures(made, _size(job), colour)
    return made


def render_canned(job: RenderJob, folder: Path, canned_folder: Path) -> Rendered:
    """The one film of the job's shape, made for the first job and linked for the others. Ignores the script."""
    if not job.audio:
        require_speakable(job.script)
    job = replace(job, script=CANNED, speed=1.0, audio=None)
    marks = ("-captioned" if job.burn_captions else "") + ("-marked" if job.watermark else "")
    source = canned_folder / f"{job.width}x{job.height}{marks}"
    if not source.exists():
        _make_canned(job, source)
    made = _planned(job, folder)
    for file in source.iterdir():
        with suppress(FileExistsError):  # a render of this video was interrupted by the end of the process
            os.link(file, folder / file.name)
    return made


def _planned(job: RenderJob, folder: Path) -> Rendered:
    if not job.audio:
        require_speakable(job.script)
    seconds = recording_seconds(job.audio) if job.audio else estimate_seconds(job.script, job.speed)
    duration = max(1, math.ceil(seconds * FPS) if job.audio else round(seconds * FPS)) / FPS
    texts = words_of(job.script)
    words = spread(texts, LEAD_IN, duration - LEAD_OUT) if texts else []
    return Rendered(folder, duration, cues_of(words), captioned=job.burn_captions)


def _make_canned(job: RenderJob, target: Path) -> None:
    """Makes the film elsewhere and renames the folder; another process may have been first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=target.parent))
    render_clip(job, draft)
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft)


def _film(path: Path, job: RenderJob, colour: Colour, duration: float) -> None:
    picture = Watermark(job.watermark, *_size(job)).over(Image.new("RGB", _size(job), colour))
    with Movie(path, *picture.size, FPS, options=QUICKEST, sound_rate=SOUND_RATE) as movie:
        movie.add_sound(_tone(duration), SOUND_RATE)
        for _ in range(round(duration * FPS)):
            movie.show(picture)


def _size(job: RenderJob) -> tuple[int, int]:
    factor = SHORT_SIDE / min(job.width, job.height)
    return even(job.width * factor), even(job.height * factor)


def _colour_of(script: str) -> Colour:
    red, green, blue = sha256(script.encode()).digest()[:3]
    return red, green, blue


def _inverted(colour: Colour) -> Colour:
    red, green, blue = (255 - part for part in colour)
    return red, green, blue


def _tone(seconds: float) -> Samples:
    moments = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    return (TONE_LEVEL * np.sin(2 * np.pi * TONE_HZ * moments)).astype(np.float32)


def _write_pictures(made: Rendered, size: tuple[int, int], colour: Colour) -> None:
    picture = Image.new("RGB", size, colour)
    picture.save(made.thumbnail, quality=80)
    second = Image.new("RGB", size, _inverted(colour))
    picture.save(made.gif, save_all=True, append_images=[second], duration=500, loop=0)
