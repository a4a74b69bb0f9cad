"""The picture of each frame: a presenter who speaks, or a still picture."""

from functools import lru_cache
from pathlib import Path

from PIL import Image

from genvid.sandbox.renderer.backdrop import draw_backdrop, open_covering, stamp_mark
from genvid.sandbox.renderer.geometry import AXIS, UNITS
from genvid.sandbox.renderer.job import RenderJob, even
from genvid.sandbox.renderer.motion import Choreography
from genvid.sandbox.renderer.personas import PERSONAS
from genvid.sandbox.renderer.puppet import Puppet

DRAWN_SHORT_SIDE = 720  # pixels; a larger video is scaled up while it is encoded
BUST_OF_HEIGHT = 0.99  # the bust stands on the lower edge and takes this share of the height
BUST_OF_WIDTH = 1.42  # or of the width, where that is less
SUNK = 4  # units of the bust below the edge, so that a breath never lifts it off
ZOOM = 1.08  # how much closer a still picture is at the end


class PresenterScene:
    def __init__(self, job: RenderJob, choreography: Choreography) -> None:
        width, height = canvas_size(job)
        bust = min(height * BUST_OF_HEIGHT, width * BUST_OF_WIDTH)
        scale = round(bust / UNITS, 4)
        self._choreography = choreography
        self._backdrop = draw_backdrop(job, (width, height))
        self._puppet = _puppet(job.persona, scale)
        self._corner = (round(width / 2 - AXIS * scale), round(height - (UNITS - SUNK) * scale))

    def draw(self, frame: int) -> Image.Image:
        picture = self._backdrop.copy()
        self._puppet.perform(picture, *self._corner, self._choreography.pose(frame))
        return picture


class PictureScene:
    def __init__(self, image: Path, size: tuple[int, int], frames: int) -> None:
        self._size, self._frames = size, frames
        self._picture = open_covering(image, (even(size[0] * ZOOM), even(size[1] * ZOOM)))

    def draw(self, frame: int) -> Image.Image:
        closeness = 1 + (ZOOM - 1) * frame / max(1, self._frames - 1)
        width, height = self._picture.width / closeness, self._picture.height / closeness
        left, top = (self._picture.width - width) / 2, (self._picture.height - height) / 2
        window = (left, top, left + width, top + height)
        picture = self._picture.resize(self._size, Image.Resampling.BILINEAR, box=window)
        stamp_mark(picture)
        return picture


Scene = PresenterScene | PictureScene


def canvas_size(job: RenderJob) -> tuple[int, int]:
    factor = min(1.0, DRAWN_SHORT_SIDE / min(job.width, job.height))
    return even(job.width * factor), even(job.height * factor)


# Two presenters at a time: a third would add some 100 MB.
@lru_cache(2)
def _puppet(persona: str, scale: float) -> Puppet:
    return Puppet(PERSONAS[persona], scale)
