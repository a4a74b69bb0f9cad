"""What the rows of a batch film: one avatar or picture for all, or one for each row by a `{{variable}}`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from genvid.errors import ValidationFailed
from videos.batches import batch_input
from videos.kinds import material
from videos.kinds.casting import Cast, cast_for
from videos.kinds.subjects import Orderer, Uploads
from videos.video_request import VideoRequest

Key = tuple[Any, Any]


class NoId(Exception):
    """A row's value where an id is needed; `variables` gave it."""

    def __init__(self, variables: list[str]) -> None:
        super().__init__("Is no id of an avatar or an upload.")
        self.variables = variables


def templates_of(request: VideoRequest) -> dict[str, str]:
    """The texts of a request that may have variables, by field."""
    found = {"script": request.script or "", "title": request.title}
    return found | {field: text for field, text in _subjects(request).items() if isinstance(text, str)}


def fill(request: VideoRequest, values: Mapping[str, str]) -> VideoRequest:
    """The request of a row. Raises NoId."""
    filled: dict[str, Any] = {
        "title": batch_input.fill(request.title, values),
        "script": batch_input.fill(request.script or "", values),
    }
    for field, given in _subjects(request).items():
        if isinstance(given, str):
            found = _id_of(given, values)
            filled[field.partition(".")[0]] = {"upload_id": found} if "." in field else found
    return replace(request, **filled)


def _subjects(request: VideoRequest) -> dict[str, Any]:
    return {"avatar_id": request.avatar_id, "picture.upload_id": request.picture_id}


def _id_of(template: str, values: Mapping[str, str]) -> UUID:
    text = batch_input.fill(template, values).strip()
    try:
        if len(text) != len(str(UUID(int=0))):
            raise ValueError(text)
        return UUID(text)
    except ValueError:
        raise NoId(batch_input.variables_of(template)) from None


class Casts:
    """Avatar or picture, and voice, of each row. Each is looked up once, however many rows share it."""

    def __init__(self, request: VideoRequest, orderer: Orderer) -> None:
        self.orderer = orderer
        self._found: dict[Key, Cast | ValidationFailed] = {}
        self._uploads: Uploads = {}
        self.is_shared = not any(isinstance(given, str) for given in _subjects(request).values())
        if self.is_shared:
            self._found[_key(request)] = cast_for(request, orderer)

    def prepare(self, requests: Iterable[VideoRequest]) -> None:
        """Look up the uploads of all rows at once. One query, and none where all rows share one subject."""
        if not self.is_shared:
            self._uploads = material.uploads_of(requests, self.orderer)

    def found(self, request: VideoRequest) -> Cast | ValidationFailed:
        """With what is wrong instead, by field."""
        key = _key(request)
        if key not in self._found:
            try:
                self._found[key] = cast_for(request, self.orderer, self._uploads)
            except ValidationFailed as error:
                self._found[key] = error
        return self._found[key]

    def of(self, request: VideoRequest) -> Cast:
        cast = self.found(request)
        if isinstance(cast, ValidationFailed):
            raise cast
        return cast

    def named(self, request: VideoRequest) -> VideoRequest:
        """The batch's own request; with one avatar for all rows, it names the voice, too."""
        cast = self._found.get(_key(request)) if self.is_shared else None
        voice = cast.voice if isinstance(cast, Cast) else None
        return request if voice is None else replace(request, voice_id=voice.pk)


def _key(request: VideoRequest) -> Key:
    return request.avatar_id, request.picture_id
