"""The request for a video: each field with its type, its default and how it is read from a body."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NotRequired, Self, TypedDict
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from genvid.api.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictFloatField,
    StrictSerializer,
    StrictUUIDField,
)
from genvid.http import ForbiddenAddress, check_public_url
from videos.enums import Resolution, VideoFormat, VideoKind

if TYPE_CHECKING:
    from videos.models import Batch, Video

SCRIPT_LIMIT = 5000
TITLE_LIMIT = 200
SCRIPT_HELP = (
    'Plain text. `<break time="1.5s"/>` is a pause, in seconds or `ms`, for voices with `supports_pause`; any other '
    "tag is refused. A `<` that begins no tag is text."
)
NOTHING_SPEAKABLE = "Has nothing in it that can be spoken."
METADATA_LIMIT = 20
METADATA_KEY_LIMIT = 64
METADATA_VALUE_LIMIT = 500
EXAMPLE_TITLE, EXAMPLE_SCRIPT = "Spring sale", "Hello and welcome to our spring sale."
EXAMPLE_BACKGROUND = {"type": "color", "value": "#1a2b3c"}
EXAMPLE_METADATA = {"campaign": "spring"}
ALWAYS_CHANGEABLE = frozenset({"title", "metadata"})
ROWS = frozenset({"avatar_id", "voice_id", "picture", "audio", "speech_id"})
"""Fields that name rows of their own."""
SUBJECTS = ("avatar_id", "picture")
SOUNDS = ("script", "speech_id", "audio")
REQUIRED = "This field is required."
OF_SCRIPTS = {
    "voice_id": "Goes with a script alone: a recording has its own voice.",
    "language": "Goes with a script alone.",
    "speed": "Goes with a script alone: a recording has its own speed.",
}


class Named(TypedDict):
    upload_id: UUID


class UploadInput(StrictSerializer):
    """`{"upload_id": "…"}`: a file of the account."""

    upload_id = StrictUUIDField("upload")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "upload_id" not in attrs:
            # In a partial update DRF does not require nested fields either.
            raise serializers.ValidationError({"upload_id": REQUIRED})
        return attrs


class Background(TypedDict):
    type: Literal["color", "image"]
    value: NotRequired[str]
    url: NotRequired[str]
    upload_id: NotRequired[str]


class BackgroundInput(StrictSerializer):
    """`{"type": "color", "value": "#rrggbb"}`, or `{"type": "image"}` with either a `url` or an `upload_id`."""

    example = EXAMPLE_BACKGROUND
    type = StrictChoiceField(choices=["color", "image"])
    value = serializers.RegexField(
        r"^#[0-9a-fA-F]{6}$", required=False, error_messages={"invalid": "Must be a colour like #1a2b3c."}
    )
    url = StrictCharField(required=False, max_length=2000)
    upload_id = StrictUUIDField("upload", required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "type" not in attrs:
            # In a partial update DRF does not require nested fields either.
            raise serializers.ValidationError({"type": REQUIRED})
        is_color = attrs["type"] == "color"
        wanted, others = (("value",), ("url", "upload_id")) if is_color else (("url", "upload_id"), ("value",))
        given = [name for name in wanted if name in attrs]
        if not given:
            raise serializers.ValidationError({wanted[0]: f"Is required for a background of type {attrs['type']}."})
        if len(given) > 1:
            raise serializers.ValidationError({given[1]: "Give either a url or an upload_id."})
        if foreign := [name for name in others if name in attrs]:
            message = f"Does not go with a background of type {attrs['type']}."
            raise serializers.ValidationError(dict.fromkeys(foreign, message))
        # It is stored as JSON.
        return attrs | ({"upload_id": str(attrs["upload_id"])} if "upload_id" in attrs else {})

    def validate_url(self, url: str) -> str:
        """HeyGen fetches the address; it must not lead into a private network."""
        if not settings.ALLOW_PRIVATE_IMAGE_URLS:
            try:
                check_public_url(url)
            except ForbiddenAddress as error:
                raise serializers.ValidationError(str(error)) from error
        return url


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": METADATA_LIMIT,
        "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_LIMIT},
    }
)
class MetadataField(serializers.Field[Any, Any, Any, Any]):
    """At most 20 pairs of strings, stored for the client and never interpreted."""

    example = EXAMPLE_METADATA
    default_error_messages: ClassVar[Any] = {
        "type": "Must be an object of at most 20 pairs of strings.",
        "key": "Keys are 1 to 64 characters long.",
        "value": "Values are strings of at most 500 characters.",
        "nul": "Null characters are not allowed.",
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict) or len(data) > METADATA_LIMIT:
            self.fail("type")
        for key, value in data.items():
            if not 1 <= len(key) <= METADATA_KEY_LIMIT:
                self.fail("key")
            if not isinstance(value, str) or len(value) > METADATA_VALUE_LIMIT:
                self.fail("value")
            if "\x00" in key or "\x00" in value:
                self.fail("nul")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest:
    """A client's request for a video, validated by the field in each annotation, not yet against the catalogue."""

    title: Annotated[str, StrictCharField(max_length=TITLE_LIMIT, allow_blank=True, example=EXAMPLE_TITLE)] = ""
    script: Annotated[
        str | None,
        StrictCharField(
            max_length=SCRIPT_LIMIT,
            allow_null=True,
            trim_whitespace=False,
            help_text=SCRIPT_HELP,
            example=EXAMPLE_SCRIPT,
        ),
    ] = None
    speech_id: Annotated[
        UUID | None,
        StrictUUIDField(allow_null=True, help_text="Instead of `script`: a speech of the account, heard as it is."),
    ] = None
    audio: Annotated[
        Named | None, UploadInput(allow_null=True, help_text="Instead of `script`: a recording, at most 600 seconds.")
    ] = None
    avatar_id: Annotated[UUID | None, StrictUUIDField("avatar", allow_null=True)] = None
    picture: Annotated[
        Named | None, UploadInput(allow_null=True, help_text="Instead of `avatar_id`: an image, which speaks.")
    ] = None
    voice_id: Annotated[
        UUID | None, StrictUUIDField("voice", allow_null=True, help_text="Left out: the avatar's own voice.")
    ] = None
    format: Annotated[str, StrictChoiceField(VideoFormat.choices, example="16:9")] = VideoFormat.LANDSCAPE
    resolution: Annotated[str, StrictChoiceField(Resolution.choices, example="1080p")] = Resolution.FULL_HD
    language: Annotated[str | None, StrictCharField(max_length=100, allow_null=True, example="English")] = None
    captions: Annotated[
        bool, StrictBooleanField(help_text="Burned into the picture; a sidecar is always there.", example=False)
    ] = False
    background: Annotated[Background | None, BackgroundInput(allow_null=True)] = None
    speed: Annotated[float, StrictFloatField(min_value=0.5, max_value=1.5, example=1.0)] = 1.0
    metadata: Annotated[Mapping[str, str], MetadataField()] = field(default_factory=dict)

    @property
    def kind(self) -> VideoKind:
        return VideoKind.PICTURE if self.avatar_id is None else VideoKind.AVATAR

    @property
    def picture_id(self) -> UUID | None:
        return self.picture["upload_id"] if self.picture else None

    @property
    def audio_id(self) -> UUID | None:
        return self.audio["upload_id"] if self.audio else None

    @classmethod
    def of_video(cls, video: "Video") -> Self:
        """What a client would send for the same video again."""
        found: dict[str, Any] = {name: getattr(video, name) for name in NAMES} | {"language": video.language or None}
        found["picture"] = {"upload_id": video.picture_id} if video.picture_id else None
        found["audio"] = {"upload_id": video.audio_id} if video.audio_id and not video.speech_id else None
        return cls(**found | (AS_RECORDED if video.audio_id else {}))

    @classmethod
    def of_batch(cls, batch: "Batch") -> Self:
        # Another release may have stored fields that this one does not know.
        shared = {name: value for name, value in batch.template.items() if name in NAMES}
        return cls(title=batch.title, script=batch.script, **shared)

    def model_fields(self) -> dict[str, Any]:
        """Columns of a video. Those of the rows that the request names come from `videos.kinds.casting`."""
        return {name: getattr(self, name) for name in NAMES if name not in ROWS} | {"language": self.language or ""}

    def always_changeable(self) -> dict[str, Any]:
        """Columns that may change after the order."""
        return {name: getattr(self, name) for name in ALWAYS_CHANGEABLE}

    def batch_template(self) -> dict[str, Any]:
        shared = {name: getattr(self, name) for name in NAMES if name not in ("title", "script")}
        return shared | {name: _as_json(shared[name]) for name in ROWS}

    def problems(self) -> dict[str, str]:
        """Fields that are missing or do not go together, with what to do."""
        wrong = _choice_of(self, SUBJECTS, "Give either avatar_id or picture.")
        wrong |= _choice_of(self, SOUNDS, "Give one of script, speech_id and audio.")
        if wrong:
            return wrong
        if self.script is None:
            usual = {name: AS_RECORDED[name] for name in OF_SCRIPTS}
            return {name: OF_SCRIPTS[name] for name, value in usual.items() if getattr(self, name) != value}
        if self.avatar_id is None and self.voice_id is None:
            return {"voice_id": "Is required with a picture, which has no voice of its own."}
        return {}


def _choice_of(request: VideoRequest, names: tuple[str, ...], message: str) -> dict[str, str]:
    given = [name for name in names if getattr(request, name) is not None]
    if not given:
        return {names[0]: REQUIRED}
    return dict.fromkeys(given[1:], message)


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: str(each) for name, each in value.items()}
    return None if value is None else str(value)


NAMES = tuple(each.name for each in fields(VideoRequest))
TEXTS = ("script", "title")
"""Fields with words that people hear or read."""


def texts_of(request: VideoRequest) -> dict[str, str]:
    return {name: text for name in TEXTS if (text := getattr(request, name))}


AS_RECORDED: dict[str, Any] = {"script": None, "voice_id": None, "language": None, "speed": 1.0}
"""What a request without a script says of voice and words."""


@dataclass(frozen=True, slots=True)
class VideoChanges:
    values: Mapping[str, Any]

    @property
    def of_drafts_only(self) -> list[str]:
        return sorted(self.values.keys() - ALWAYS_CHANGEABLE)

    def applied_to(self, request: VideoRequest) -> VideoRequest:
        """A new avatar speaks with its own voice unless a voice is named too; one subject or sound replaces another."""
        implied: dict[str, Any] = {}
        for names in (SUBJECTS, SOUNDS):
            if any(self.values.get(name) is not None for name in names):
                implied |= dict.fromkeys(names)
        if implied.keys() & SOUNDS and self.values.get("script") is None:
            implied |= AS_RECORDED
        if self.values.get("avatar_id") is not None:
            implied["voice_id"] = None
        return replace(request, **{**implied, **self.values})
