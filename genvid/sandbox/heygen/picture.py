"""The size of a PNG or JPEG, read from its header."""

import struct
from pathlib import Path

from genvid.sandbox.errors import ApiError

_PNG = b"\x89PNG"


def size(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    try:
        if content.startswith(_PNG):
            width, height = struct.unpack(">II", content[16:24])
            return width, height
        return _jpeg_size(content)
    except (struct.error, IndexError):
        raise ApiError("invalid_parameter", "The image cannot be read", param="file") from None


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Walks the segments to the frame header: C0 to CF, but for the three that are tables."""
    place = 2
    while True:
        marker = content[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return width, height
        place += 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]
