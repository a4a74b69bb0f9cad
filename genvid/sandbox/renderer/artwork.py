"""Pictures that are slow to draw and never change, kept on disk between processes."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from PIL import Image

CACHE_VARIABLE = "SANDBOX_CACHE_DIR"
_DRAWN_BY = ("backdrop", "catalogue", "face", "geometry", "hair", "outfit", "palette", "pen")


@dataclass(frozen=True)
class Artwork:
    """A folder of drawings. Without a folder, everything is drawn anew."""

    folder: Path | None

    def picture(self, name: str, draw: Callable[[], Image.Image]) -> Image.Image:
        """The drawing of that name, from disk if this version of the code has drawn it before."""
        if self.folder is None:
            return draw()
        path = self.folder / f"{name}-{_edition()}.png"
        try:
            with Image.open(path) as kept:
                kept.load()
                return kept
        except OSError:
            drawn = draw()
            _save(drawn, path)
            return drawn


def artwork(cache_dir: Path | None) -> Artwork:
    """The drawings under `cache_dir`, or under the folder the environment names."""
    named = os.environ.get(CACHE_VARIABLE)
    return Artwork(cache_dir or (Path(named) if named else None))


def _save(picture: Image.Image, path: Path) -> None:
    # Written beside and renamed, so that no other process reads half a picture.
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".png", delete=False) as file:
        picture.save(file, "PNG", compress_level=1)
    Path(file.name).replace(path)


@lru_cache(1)
def _edition() -> str:
    """Changes with the code that draws, so that an old drawing is never taken for a new one."""
    here = Path(__file__).parent
    digest = sha256(b"".join((here / f"{module}.py").read_bytes() for module in _DRAWN_BY))
    return digest.hexdigest()[:12]
