"""HeyGen's objects as frozen dataclasses: a snapshot of one answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

from genvid.heygen.verdicts import Verdict

Format = Literal["16:9", "9:16", "1:1", "4:5", "5:4"]
Resolution = Literal["720p", "1080p"]


@dataclass(frozen=True)
class Background:
    """`value` is "#rrggbb" for a colour, a public URL for an image, the id of an uploaded image for an asset."""

    kind: Literal["color", "image", "asset"]
    value: str


@dataclass(frozen=True)
class RenderSpec:
    """An avatar or a picture is filmed, a script or a recording is heard; of each pair one is given.

    `speed` is a factor from 0.5 to 1.5; `locale` is like "en-US". None leaves the choice to HeyGen.
    """

    avatar_id: str = ""
    script: str = ""
    title: str = ""
    voice_id: str | None = None
    format: str = "16:9"
    resolution: str = "1080p"
    burn_captions: bool = False
    background: Background | None = None
    speed: float | None = None
    locale: str | None = None
    avatar_kind: str = ""
    engine: str | None = None
    picture_asset_id: str = ""
    audio_asset_id: str = ""


@dataclass(frozen=True)
class Submission:
    """HeyGen accepted the order. Nothing is rendered yet, and an empty wallet may still fail it later."""

    video_id: str
    raw_status: str


class RenderState(Enum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    NOT_FOUND = "not_found"

    @property
    def is_final(self) -> bool:
        return self in (RenderState.COMPLETED, RenderState.FAILED)


@dataclass(frozen=True)
class Failure:
    """Why a video failed. `code` and `message` are ours and fit for customers; the raw pair is for staff."""

    code: str
    message: str
    retryable: bool
    verdict: Verdict | None
    """None: the fault is unknown, and the video may be ordered again."""
    raw_code: str
    raw_message: str

    @property
    def operator_problem(self) -> bool:
        return self.verdict is Verdict.OPERATOR

    @property
    def is_busy(self) -> bool:
        return self.verdict is Verdict.BUSY


@dataclass(frozen=True)
class RemoteVideo:
    """`duration` is in seconds; HeyGen bills it. The URLs are signed and expire.

    `file_url` is the captioned file when requested and available, else the plain one.
    """

    id: str
    state: RenderState
    raw_status: str
    title: str = ""
    duration: float | None = None
    file_url: str | None = None
    plain_file_url: str | None = None
    captioned_file_url: str | None = None
    subtitles_url: str | None = None
    thumbnail_url: str | None = None
    gif_url: str | None = None
    failure: Failure | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True)
class Look:
    """One look of an avatar; videos name its `id`. `is_ready` is False while HeyGen still trains it."""

    id: str
    name: str
    kind: str
    gender: str = ""
    default_voice_id: str | None = None
    preview_image_url: str | None = None
    preview_video_url: str | None = None
    engines: tuple[str, ...] = ()
    orientation: str = ""
    tags: tuple[str, ...] = ()
    is_premium: bool = False
    is_ready: bool = True
    group_id: str | None = None
    is_private: bool = False
    """It belongs to the HeyGen account of the key; no other HeyGen account may use it."""


@dataclass(frozen=True)
class RemoteVoice:
    id: str
    name: str
    language: str = ""
    gender: str = ""
    preview_audio_url: str | None = None
    supports_pause: bool = False
    supports_locale: bool = False
    is_private: bool = False


@dataclass(frozen=True)
class ProviderAccount:
    """`remaining` is in `currency` ("usd" or "credits"); None when HeyGen does not say."""

    billing_type: str
    currency: str
    remaining: Decimal | None


@dataclass(frozen=True)
class WebhookEndpoint:
    """`secret` is set only when the endpoint is created."""

    id: str
    url: str
    enabled: bool
    secret: str | None = None


@dataclass(frozen=True)
class WebhookNotice:
    """A delivery: a hint to read the video again, never the truth. Repeats of a delivery have one `key`."""

    key: str
    event_type: str
    video_id: str | None
    callback_id: str | None
    raw: Mapping[str, Any]
    created_at: datetime | None = None
