"""Forms with a large file, which goes from the connection to disk in pieces and is never held in memory."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from rest_framework.parsers import BaseParser

from genvid.api.parsers import read_form
from genvid.errors import MalformedBody, UploadTooLarge

TOO_LARGE = "A file in a form may have {} MiB at most; send larger ones straight to the bucket."


class SpooledFile(UploadedFile):  # type: ignore[type-arg]
    """A file on disk that is gone once it is closed, which the viewset does at the end of the request."""

    def temporary_file_path(self) -> str:
        return str(self.file.name)  # type: ignore[union-attr]


class SpoolToDisk(FileUploadHandler):
    """Writes each file into WORK_DIR as its bytes arrive. Raises UploadTooLarge as soon as it is."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.received = most, 0
        self.spool: Any = None

    def new_file(self, *args: Any, **options: Any) -> None:
        super().new_file(*args, **options)
        folder = Path(settings.WORK_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        self.received = 0
        self.spool = tempfile.NamedTemporaryFile(dir=folder, prefix="upload-")  # noqa: SIM115 - the request closes it

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received += len(raw_data)
        if self.received > self.most:
            raise UploadTooLarge(TOO_LARGE.format(self.most // 2**20))
        self.spool.write(raw_data)

    def file_complete(self, file_size: int) -> SpooledFile:
        self.spool.flush()
        self.spool.seek(0)
        return SpooledFile(self.spool, self.file_name, self.content_type, file_size, self.charset)

    def upload_interrupted(self) -> None:
        if self.spool is not None:
            self.spool.close()


class CountedStream:
    """The body, with the bytes that came: a connection that is lost must not pass for the end of a form."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self.stream, self.most, self.received = stream, most, 0

    def read(self, size: int = -1) -> bytes:
        chunk = self.stream.read(size)
        self.received += len(chunk)
        if self.received > self.most:
            raise UploadTooLarge(TOO_LARGE.format(settings.UPLOAD_MAX_BYTES // 2**20))
        return chunk


class StreamedFormParser(BaseParser):
    """multipart/form-data as a plain dictionary of texts and `SpooledFile`s, each name once."""

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        request = (parser_context or {})["request"]._request
        announced = str(request.META.get("CONTENT_LENGTH") or "")
        length = int(announced) if announced.isdecimal() else 0
        if length > settings.UPLOAD_MAX_BODY_BYTES:
            raise UploadTooLarge(TOO_LARGE.format(settings.UPLOAD_MAX_BYTES // 2**20))
        counted = CountedStream(stream, settings.UPLOAD_MAX_BODY_BYTES)
        handler = SpoolToDisk(settings.UPLOAD_MAX_BYTES)
        try:
            # Names of files are shown, so that bytes which are not UTF-8 may be replaced in them.
            form = read_form(request.META, counted, [handler], encoding="utf-8")
            if counted.received < length:
                raise MalformedBody("The body ended before its announced length.")
        except BaseException:
            handler.upload_interrupted()
            raise
        return form
