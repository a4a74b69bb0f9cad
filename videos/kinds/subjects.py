"""What a kind of video must tell the rest of the code. Its modules are in this package, their list in `registry`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from avatars.models import CatalogueEntry, Upload, Voice
from avatars.offers import offered_voice
from videos.models import Video
from videos.video_request import VideoRequest

Uploads = Mapping[UUID, Upload]
"""Those that a request names, as far as its account may use them, by id."""
AssetId = Callable[[Upload], str]
"""The id of an upload's copy at HeyGen. Raises HeyGenError."""


@dataclass(frozen=True)
class Orderer:
    """For whom videos are: the account, and whether a test key orders them."""

    account_id: UUID
    is_test: bool
    _voices: dict[UUID, Voice | None] = field(default_factory=dict, repr=False, compare=False)

    def has_mode_of(self, entry: CatalogueEntry) -> bool:
        """What a customer made belongs to the mode that made it, live or test; the catalogue to both."""
        return not entry.is_own or entry.is_test == self.is_test

    def voice(self, voice_id: UUID) -> Voice | None:
        """As far as it is offered to the account. Each voice is read once, however many videos it speaks in."""
        if voice_id not in self._voices:
            self._voices[voice_id] = offered_voice(self.account_id, voice_id)
        return self._voices[voice_id]


@dataclass(frozen=True)
class Shot:
    """What is filmed, found and checked. The voice is not checked yet."""

    columns: Mapping[str, Any]
    """Of the video."""
    engine: str
    voice: Voice | None
    """That of the request or, without one, the subject's own; None where there is no such voice."""


class Kind(Protocol):
    """A module for one kind of video."""

    FIELD: str
    """Of the request: a video with it is of this kind."""
    JOINED: tuple[str, ...]
    """Foreign keys of a video that `write` follows."""

    def choose(self, request: VideoRequest, orderer: Orderer, uploads: Uploads, /) -> Shot:
        """Raises ValidationFailed for what the account may not use."""

    def rate_kind(self, video: Video, /) -> str:
        """The kind of avatar by which the table of rates prices it."""

    def write(self, video: Video, asset_id: AssetId, /) -> Mapping[str, Any]:
        """Fields of `genvid.heygen.heygen_types.RenderSpec` that say what is filmed."""
