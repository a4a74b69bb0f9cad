"""Files that were made to break, deceive or exhaust: each is refused in words, and nothing of it is kept."""

import gzip
import io
import struct
import wave
import zipfile
import zlib
from collections.abc import Callable

import pytest
from django.conf import settings
from PIL import Image, PngImagePlugin

from avatars.models import Upload
from genvid.tests import media_files
from genvid.tests.asserts import data_of, refusal_of
from genvid.tests.uploads import PATH, files_on_disk, send

pytestmark = pytest.mark.django_db
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def frames(kind: str) -> bytes:
    file = io.BytesIO()
    first, *rest = [Image.new("RGB", (100, 100), (shade, 0, 0)) for shade in (0, 120, 240)]
    first.save(file, kind, save_all=True, append_images=rest, duration=100)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, pixels: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def png_with_text_bomb() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "A" * 80_000_000, zip=True)
    return media_files.picture("PNG", pnginfo=info)


def mp4_without_moov() -> bytes:
    return media_files.film().replace(b"moov", b"junk")


def mp4_with_frames_of_no_length() -> bytes:
    """A hundred and more pictures that are said to be shown for an instant: `stts` with a delta of one tick."""
    film = bytearray(media_files.film(frames=200))
    at = film.index(b"stts")
    count = struct.unpack_from(">I", film, at + 8)[0]
    for number in range(count):
        struct.pack_into(">I", film, at + 12 + 8 * number + 4, 1)
    return bytes(film)


def wav_of_nothing() -> bytes:
    sound = bytearray(media_files.wav())
    sound[sound.index(b"data") + 4 : sound.index(b"data") + 8] = struct.pack("<I", 2)
    return bytes(sound)


def mp3_behind_a_tag_that_never_ends() -> bytes:
    return b"ID3\x04\x00\x00" + b"\x7f\x7f\x7f\x7f" + media_files.mp3(10)


def id3_bomb() -> bytes:
    """A compressed frame that says it unpacks to 256 MB."""
    packed = zlib.compress(b"\0" * 30_000_000)
    frame = b"APIC" + _syncsafe(len(packed) + 4) + b"\x00\x09" + _syncsafe(2**28 - 1) + packed
    return b"ID3\x04\x00\x00" + _syncsafe(len(frame)) + frame


def _syncsafe(number: int) -> bytes:
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


def hls_playlist_named_mp4() -> bytes:
    return b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


def gzip_bomb() -> bytes:
    return zlib.compress(b"\0" * 10_000_000, 9)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\xff",
    "a program": lambda: b"\x7fELF" + b"\0" * 2000,
    "a program of Windows": lambda: b"MZ" + b"\0" * 2000,
    "the test file of scanners": lambda: EICAR,
    "a page named .png": lambda: b"<!doctype html><script>alert(1)</script>",
    "a drawing with a script": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a GIF that is a script": lambda: b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(1);",
    "an animated GIF": lambda: frames("GIF"),
    "an animated PNG": lambda: frames("PNG"),
    "an animated WebP": lambda: frames("WEBP"),
    "a PNG of four billion pixels": lambda: png_of(65_000, 65_000),
    "a PNG that unpacks to more than it is": lambda: png_of(30_000, 30_000, b"\0" * 20_000_000),
    "a PNG with a bomb of text": png_with_text_bomb,
    "a JPEG that is cut off": lambda: media_files.picture("JPEG")[:2000],
    "a JPEG of noise": lambda: b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40,
    "a picture of one pixel": lambda: media_files.picture(size=(1, 1)),
    "a picture like a hair": lambda: media_files.picture(size=(1, 60_000)),
    "a picture stretched beyond use": lambda: media_files.picture(size=(64, 1000)),
    "a TIFF": lambda: media_files.picture("TIFF"),
    "a PDF": lambda: media_files.picture("PDF"),
    "an archive": lambda: b"PK\x03\x04" + b"\0" * 100,
    "a packed bomb": gzip_bomb,
    "a HEIC": lambda: b"\0\0\0\x18ftypheic" + b"\0" * 200,
    "an MP4 without an index": mp4_without_moov,
    "an MP4 that is cut off": lambda: media_files.film(frames=100)[:-200],
    "an MP4 of pictures without length": mp4_with_frames_of_no_length,
    "a playlist that names our files": hls_playlist_named_mp4,
    "a WebM of noise": lambda: b"\x1aE\xdf\xa3" + bytes(range(256)) * 40,
    "a WAV of one sample": wav_of_nothing,
    "a WAV without sound": lambda: b"RIFF\xff\xff\xff\xffWAVE" + b"\0" * 100,
    "an MP3 behind an endless tag": mp3_behind_a_tag_that_never_ends,
    "an MP3 with a bomb in its tag": id3_bomb,
    "an MP3 of noise": lambda: b"\xff\xfb\x90\x00" + b"\x55" * 5000,
    "a page behind the mark of a JPEG": lambda: b"\xff\xd8\xff\xe0<script>alert(1)</script>" + b" " * 2000,
    "a drawing behind a mark of order": lambda: b"\xef\xbb\xbf<?xml version='1.0'?><svg onload='alert(1)'/>",
    "a drawing that is packed": lambda: gzip.compress(b"<svg><script>alert(1)</script></svg>"),
    "a list of films for FFmpeg": lambda: b"ffconcat version 1.0\nfile /etc/passwd\n",
    "an AVI": lambda: b"RIFF\xff\xff\xff\x7fAVI LIST" + b"\0" * 500,
    "an icon": lambda: b"\0\0\1\0\1\0\x10\x10" + b"\0" * 200,
    "PostScript": lambda: b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file\n",
    "a WebM with an element without end": lambda: b"\x1aE\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff" + b"\0" * 5000,
    "an MP4 whose boxes lie in themselves": lambda: b"\0\0\0\x18ftypisom\0\0\0\0isomiso2" + b"\0\0\0\x08moov" * 5000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_and_nothing_of_it_is_kept(owner, kind):
    before = files_on_disk()
    answer = send(owner.client, HOSTILE[kind](), "face.png")
    assert refusal_of(answer) == (400, "upload_refused"), answer.content
    assert len(answer.json()["error"]["message"]) > 10
    assert Upload.objects.count() == 0
    assert files_on_disk() == before


def stored(owner, content: bytes, name: str = "face.jpg") -> tuple[Upload, bytes]:
    shown = data_of(send(owner.client, content, name), 201)
    upload = Upload.objects.get(pk=shown["id"])
    with upload.file.open("rb") as file:
        return upload, file.read()


def test_a_picture_with_an_archive_behind_it_is_kept_without_the_archive(owner):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("payload.js", "alert(1)")
    _, kept = stored(owner, media_files.picture("JPEG") + archive.getvalue())
    assert b"PK\x03\x04" not in kept
    assert b"payload" not in kept


def test_a_film_with_an_archive_behind_it_is_kept_without_the_archive(owner):
    _, kept = stored(owner, media_files.film() + b"\0\0\0\0PK\x03\x04payload.js")
    assert b"payload" not in kept


def test_a_picture_loses_where_it_was_taken_and_what_somebody_wrote_into_it(owner):
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    exif[0x010E] = "<script>alert(1)</script>"
    _, kept = stored(owner, media_files.picture("JPEG", exif=exif, comment=b"<?php evil"))
    found = Image.open(io.BytesIO(kept))
    assert (dict(found.getexif()), found.info.get("comment")) == ({}, None)
    assert b"script" not in kept
    assert b"<?php" not in kept


def test_a_recording_loses_its_tags(owner):
    text = b"TIT2" + _syncsafe(20) + b"\0\0" + b"\0<script>alert(1)</s"
    _, kept = stored(owner, b"ID3\x04\x00\x00" + _syncsafe(len(text)) + text + media_files.mp3())
    assert b"script" not in kept


def test_a_picture_of_printers_colours_is_kept_in_those_of_screens(owner):
    upload, kept = stored(owner, media_files.picture("JPEG", mode="CMYK"))
    assert Image.open(io.BytesIO(kept)).mode == "RGB"
    assert upload.notes == ["Colours converted to sRGB."]


def test_a_sideways_picture_is_turned_upright(owner):
    exif = Image.Exif()
    exif[0x0112] = 6
    upload, _ = stored(owner, media_files.picture("JPEG", size=(300, 200), exif=exif))
    assert (upload.width, upload.height, upload.notes) == (200, 300, ["Turned as its camera says."])


def test_a_large_picture_is_scaled(owner):
    upload, kept = stored(owner, media_files.picture("JPEG", size=(3000, 1500)))
    assert (upload.width, upload.height) == Image.open(io.BytesIO(kept)).size == (2048, 1024)
    assert upload.notes == ["Scaled from 3000 by 1500 to 2048 by 1024 pixels."]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (media_files.picture("WEBP"), "image/jpeg"),
        (media_files.picture("WEBP", mode="RGBA"), "image/png"),
        (media_files.picture("PNG", mode="P"), "image/png"),
        (media_files.picture("PNG", mode="LA"), "image/png"),
        (media_files.picture("PNG", mode="I;16"), "image/png"),
        (media_files.picture("JPEG", mode="L", progressive=True), "image/jpeg"),
    ],
)
def test_a_picture_of_any_usual_kind_is_kept_as_heygen_takes_it(owner, content, content_type):
    upload, _ = stored(owner, content)
    assert (upload.kind, upload.content_type) == ("image", content_type)


# ── Lengths


def lying_wav(said: int) -> bytes:
    """Two seconds, with another size in the header."""
    sound = bytearray(media_files.wav(2.0))
    sound[4:8] = struct.pack("<I", min(said + 36, 2**32 - 1))
    at = sound.index(b"data") + 4
    sound[at : at + 4] = struct.pack("<I", said)
    return bytes(sound)


@pytest.mark.parametrize(("said", "seconds"), [(48_000, "1.000"), (0, "2.000"), (2**32 - 1, "2.000"), (10**7, "2.000")])
def test_the_length_of_a_wav_is_that_of_what_is_kept_of_it(owner, said, seconds):
    upload, kept = stored(owner, lying_wav(said))
    assert str(upload.duration_seconds) == seconds
    assert int.from_bytes(kept[kept.index(b"data") + 4 :][:4], "little") == float(seconds) * 48_000


def test_an_mp3_whose_header_tells_of_fewer_frames_has_its_real_length(owner):
    sound = bytearray(media_files.mp3(200))
    at = max(sound.find(b"Xing"), sound.find(b"Info"))
    struct.pack_into(">I", sound, at + 8, 3)
    upload, _ = stored(owner, bytes(sound))
    assert 5.15 < upload.duration_seconds < 5.3


def test_two_mp3s_in_a_row_have_the_length_of_both(owner):
    upload, _ = stored(owner, media_files.mp3(100) + media_files.mp3(100))
    assert 5.2 < upload.duration_seconds < 5.4


def test_an_mp4_whose_header_tells_of_an_instant_has_its_real_length(owner):
    film = bytearray(media_files.film(frames=50))
    at = film.index(b"mvhd") + 4
    struct.pack_into(">I", film, at + 16, 1)
    upload, _ = stored(owner, bytes(film))
    assert (str(upload.duration_seconds), upload.width, upload.height) == ("2.000", 160, 120)


def wav_of_silence(seconds: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000 * seconds))
    return file.getvalue()


@pytest.mark.parametrize("said", [601 * 16_000, 0, 16_000 * 700])
def test_a_recording_beyond_ten_minutes_is_refused_whatever_its_header_says(owner, said):
    content = bytearray(wav_of_silence(601))
    struct.pack_into("<I", content, content.index(b"data") + 4, said)
    before = files_on_disk()
    answer = send(owner.client, bytes(content))
    assert refusal_of(answer) == (400, "upload_refused")
    assert "600" in answer.json()["error"]["message"]
    assert (Upload.objects.count(), files_on_disk()) == (0, before)


# ── Bodies and names


class Endless(io.RawIOBase):
    """The body of a form with a file that never ends."""

    HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'

    def __init__(self) -> None:
        self.sent = 0

    def read(self, size: int = -1) -> bytes:
        chunk = (b"" if self.sent else self.HEAD).ljust(size, b"\xff")[:size] if size > 0 else b""
        self.sent += len(chunk)
        return chunk


@pytest.mark.parametrize("length", [settings.UPLOAD_MAX_BODY_BYTES, settings.UPLOAD_MAX_BODY_BYTES + 1, 10**15])
def test_a_body_without_end_is_refused_and_leaves_nothing(owner, length):
    before, body = files_on_disk(), Endless()
    said = {"wsgi.input": body, "CONTENT_LENGTH": str(length)}
    answer = owner.client.generic("POST", PATH, content_type="multipart/form-data; boundary=b", **said)
    assert refusal_of(answer) == (413, "upload_too_large")
    assert body.sent <= settings.UPLOAD_MAX_BODY_BYTES
    assert (Upload.objects.count(), files_on_disk()) == (0, before)


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd.png",
        "a\0b.png",
        "a%00b.png",
        "..%2f..%2fa.png",
        "<script>.png",
        ".htaccess",
        "CON.png",
        "C:\\windows\\a.png",
        "a\u202egnp.exe",
        "n" * 4000 + ".png",
        "a\tb\x7f.png",
    ],
)
def test_a_hostile_file_name_is_shown_harmless_and_never_a_path(owner, name):
    upload, _ = stored(owner, media_files.picture(), name)
    assert upload.file.name == f"uploads/{owner.account.pk}/{upload.pk}.png"
    assert len(upload.filename) <= 255
    assert upload.filename.isprintable()
    assert not set(upload.filename) & set("/\\:\0")
