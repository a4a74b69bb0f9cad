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
from videos.enums import Resolution, VideoFormat

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
CAST = frozenset({"avatar_id", "voice_id"})


class Background(TypedDict):
    type: Literal["color", "image"]
    value: NotRequired[str]
    url: NotRequired[str]


class BackgroundInput(StrictSerializer):
    """`{"type": "color", "value": "#rrggbb"}` or `{"type": "image", "url": "https://…"}`."""

    example = EXAMPLE_BACKGROUND
    type = StrictChoiceField(choices=["color", "image"])
    value = serializers.RegexField(
        r"^#[0-9a-fA-F]{6}$", required=False, error_messages={"invalid": "Must be a colour like #1a2b3c."}
    )
    url = StrictCharField(required=False, max_length=2000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "type" not in attrs:
            # In a partial update DRF does not require nested fields either.
            raise serializers.ValidationError({"type": "This field is required."})
        wanted, other = ("value", "url") if attrs["type"] == "color" else ("url", "value")
        if wanted not in attrs:
            raise serializers.ValidationError({wanted: f"Is required for a background of type {attrs['type']}."})
        if other in attrs:
            raise serializers.ValidationError({other: f"Does not go with a background of type {attrs['type']}."})
        return attrs

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
        str,
        StrictCharField(max_length=SCRIPT_LIMIT, trim_whitespace=False, help_text=SCRIPT_HELP, example=EXAMPLE_SCRIPT),
    ]
    avatar_id: Annotated[UUID, StrictUUIDField("avatar")]
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

    @classmethod
    def of_video(cls, video: "Video") -> Self:
        return cls(**{name: getattr(video, name) for name in NAMES} | {"language": video.language or None})

    @classmethod
    def of_batch(cls, batch: "Batch") -> Self:
        # Another release may have stored fields that this one does not know.
        shared = {name: value for name, value in batch.template.items() if name in NAMES}
        return cls(title=batch.title, script=batch.script, **shared)

    def model_fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in NAMES if name not in CAST} | {"language": self.language or ""}

    def batch_template(self) -> dict[str, Any]:
        shared = {name: getattr(self, name) for name in NAMES if name not in ("title", "script")}
        return shared | {name: str(shared[name]) for name in CAST}


NAMES = tuple(each.name for each in fields(VideoRequest))


@dataclass(frozen=True, slots=True)
class VideoChanges:
    values: Mapping[str, Any]

    @property
    def of_drafts_only(self) -> list[str]:
        return sorted(self.values.keys() - ALWAYS_CHANGEABLE)

    def applied_to(self, request: VideoRequest) -> VideoRequest:
        """A new avatar speaks with its own voice unless a voice is named too."""
        own_voice: dict[str, Any] = {"voice_id": None} if "avatar_id" in self.values else {}
        return replace(request, **{**own_voice, **self.values})
