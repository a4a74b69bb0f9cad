"""The word across every frame of a test video."""

from PIL import Image, ImageDraw

from genvid.sandbox.renderer.lettering import font

SIZE = 0.16  # of the short side
OPACITY = 110  # of 255
TILT = 24  # degrees
OUTLINE = 0.03  # of the letters' height


class Watermark:
    """An empty word leaves no mark. Sizes in pixels."""

    def __init__(self, word: str, width: int, height: int) -> None:
        self._mark = _drawn(word, width, height) if word else None
        self._size = (width, height)

    def over(self, picture: Image.Image) -> Image.Image:
        if self._mark is None:
            return picture
        marked = picture.copy()
        corner = ((self._size[0] - self._mark.width) // 2, (self._size[1] - self._mark.height) // 2)
        marked.paste(self._mark, corner, self._mark)
        return marked


def _drawn(word: str, width: int, height: int) -> Image.Image:
    face = font("ExtraBold", max(8, round(min(width, height) * SIZE)))
    outline = max(1, round(face.size * OUTLINE))
    left, top, right, bottom = face.getbbox(word, stroke_width=outline)
    sheet = Image.new("RGBA", (round(right - left), round(bottom - top)), (0, 0, 0, 0))
    ink, edge = (255, 255, 255, OPACITY), (0, 0, 0, OPACITY)
    ImageDraw.Draw(sheet).text((-left, -top), word, font=face, fill=ink, stroke_width=outline, stroke_fill=edge)
    return sheet.rotate(TILT, expand=True, resample=Image.Resampling.BICUBIC)
