"""A file as the one part of a multipart/form-data body, read in pieces while it is sent."""

import os
import secrets
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

CHUNK_BYTES = 256 * 1024


class FormFile:
    """The body with `file`, `size` bytes from its present position. A second reading starts there again."""

    def __init__(self, field: str, file: BinaryIO, *, name: str, size: int, media_type: str) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._file, self._start, self._size = file, file.tell(), size
        disposition = f'form-data; name="{field}"; filename="{quote(name, safe=" ()")}"'
        head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: {media_type}\r\n\r\n"
        self._head, self._tail = head.encode(), f"\r\n--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        """Raises ValueError for a file that is shorter than was said: its length is announced already."""
        self._file.seek(self._start, os.SEEK_SET)
        yield self._head
        left = self._size
        while left:
            chunk = self._file.read(min(CHUNK_BYTES, left))
            if not chunk:
                raise ValueError("the file ended early")
            left -= len(chunk)
            yield chunk
        yield self._tail
