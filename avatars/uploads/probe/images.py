"""Pictures: decoded, turned upright, made small enough, and written anew without anything but their pixels."""

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps

from avatars.uploads.probe.findings import Findings, Unusable

MOST_PIXELS = 50_000_000
"""Decoded pixels take memory whatever the size of the file: the bound of a picture that expands."""
SHORTEST_SIDE = 64
LONGEST_SIDE = 2048
"""HeyGen takes pictures below 2K."""
MOST_STRETCHED = 10
JPEG_QUALITY = 92
FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, MemoryError, OverflowError)
"""What Pillow raises for files that are cut off or were made to break it."""

# Refused below by its size, with words of ours.
Image.MAX_IMAGE_PIXELS = None


def rewrite(source: Path, target: Path, found: str) -> Findings:
    """Raises Unusable."""
    try:
        with Image.open(source, formats=[FORMATS[found]]) as image:
            _check(image)
            return _write(image, target, found)
    except BROKEN as error:
        raise Unusable("broken", "The picture is damaged or incomplete.") from error


def _check(image: Image.Image) -> None:
    width, height = image.size
    if getattr(image, "is_animated", False):
        raise Unusable("animated", "Animated pictures are not taken: send a single frame.")
    if width * height > MOST_PIXELS:
        raise Unusable("pixels", f"The picture has more than {MOST_PIXELS // 10**6} million pixels.")
    if min(width, height) < SHORTEST_SIDE:
        raise Unusable("size", f"Each side must have at least {SHORTEST_SIDE} pixels.")
    if max(width, height) > MOST_STRETCHED * min(width, height):
        raise Unusable("size", f"One side may be at most {MOST_STRETCHED} times as long as the other.")


def _write(image: Image.Image, target: Path, found: str) -> Findings:
    notes = []
    before = image.size
    profile = image.info.get("icc_profile")
    # Decodes a JPEG at a fraction of its size, where that is enough.
    image.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
    image.load()
    is_turned = image.getexif().get(0x0112, 1) not in (1, 0)
    upright = ImageOps.exif_transpose(image)
    if is_turned:
        notes.append("Turned as its camera says.")
        before = before if upright.size[0] * before[1] == upright.size[1] * before[0] else before[::-1]
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    if upright.size != before:
        notes.append(f"Scaled from {before[0]} by {before[1]} to {upright.width} by {upright.height} pixels.")
    plain, is_converted = _plain(upright, profile)
    if is_converted:
        notes.append("Colours converted to sRGB.")
    suffix = "png" if found == "png" or plain.mode == "RGBA" else "jpg"
    _save(plain, target, suffix)
    if suffix[:2] != found[:2]:
        notes.append(f"Converted to {'PNG' if suffix == 'png' else 'JPEG'}.")
    content_type = "image/png" if suffix == "png" else "image/jpeg"
    return Findings("image", content_type, suffix, plain.width, plain.height, notes=notes)


def _save(plain: Image.Image, target: Path, suffix: str) -> None:
    # A new picture of the same pixels: `info` of a decoded one would be written again.
    bare = Image.frombytes(plain.mode, plain.size, plain.tobytes())
    if suffix == "png":
        bare.save(target, "PNG")
    else:
        bare.save(target, "JPEG", quality=JPEG_QUALITY, optimize=True)


def _plain(image: Image.Image, profile: Any) -> tuple[Image.Image, bool]:
    """As sRGB with eight bits a channel, transparent only where it was; and whether its colours were converted."""
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    if image.mode.startswith("I"):
        # Sixteen bits of grey: converting it as it is would cut all of them off but the darkest.
        image = image.point(lambda value: value / 256).convert("L")
    is_convertible = profile and not has_alpha and image.mode in ("RGB", "CMYK", "L")
    converted = _in_srgb(image, profile) if is_convertible else None
    if converted is not None:
        return converted, True
    return image.convert("RGBA" if has_alpha else "RGB"), image.mode == "CMYK"


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(own):
            return None
        return ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A damaged profile: the picture is taken as it is.
        return None
