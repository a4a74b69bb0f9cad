"""The type of a file, by its first bytes alone: names and announced types are not believed."""

from avatars.uploads.probe.findings import Unusable

HEAD_BYTES = 64
PNG, JPEG, WEBP, WAV, MP3, MP4, WEBM = "png", "jpeg", "webp", "wav", "mp3", "mp4", "webm"
IMAGES = frozenset({PNG, JPEG, WEBP})
AUDIO = frozenset({WAV, MP3})
VIDEO = frozenset({MP4, WEBM})
KINDS = dict.fromkeys(IMAGES, "image") | dict.fromkeys(AUDIO, "audio") | dict.fromkeys(VIDEO, "video")
STILL_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")
TAKEN = "Send a JPEG, PNG or WebP picture, a WAV or MP3 recording, or an MP4 or WebM video."
NAMED = (
    (b"GIF8", "GIF pictures are not taken."),
    (b"%PDF", "PDF files are not taken."),
    (b"PK", "Archives and documents are not taken."),
    (b"OggS", "Ogg recordings are not taken."),
    (b"fLaC", "FLAC recordings are not taken."),
)


def sniff(head: bytes) -> str:
    """Raises Unusable for a type that is not taken."""
    if not head:
        raise Unusable("empty", "The file is empty.")
    found = _found(head)
    if found is None:
        raise Unusable("type", f"{_named(head)} {TAKEN}".strip())
    return found


def _found(head: bytes) -> str | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"RIFF"):
        return {b"WEBP": WEBP, b"WAVE": WAV}.get(head[8:12])
    if head.startswith(b"\x1aE\xdf\xa3"):
        return WEBM
    if head[4:8] == b"ftyp":
        return None if head[8:12] in STILL_BRANDS else MP4
    return MP3 if head.startswith(b"ID3") or _is_layer_3(head) else None


def _is_layer_3(head: bytes) -> bool:
    """The header of an MPEG audio frame: 11 bits of sync, a version that exists, layer III."""
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08


def _named(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return "HEIC and AVIF pictures are not taken."
    return next((text for mark, text in NAMED if head.startswith(mark)), "")
