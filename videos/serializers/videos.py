"""What clients send and get for one video."""

from typing import Any, ClassVar

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
from videos import estimates
from videos.enums import PublicStatus, Resolution, VideoFormat, WaitingFor

SCRIPT_LIMIT = 5000
SCRIPT_HELP = (
    'Plain text. `<break time="1.5s"/>` is a pause, in seconds or `ms`, for voices with `supports_pause`; any other '
    "tag is refused. A `<` that begins no tag is text."
)
METADATA_LIMIT = 20
METADATA_KEY_LIMIT = 64
METADATA_VALUE_LIMIT = 500
WAITING_FOR = (
    "`slot`: for its turn; `own_slots`: until a video of its account that is being made ends; `provider`: the video "
    "service takes no orders; `staff`: this video alone waits for a decision of ours. Null unless it is queued."
)


class BackgroundInput(StrictSerializer):
    """`{"type": "color", "value": "#rrggbb"}` or `{"type": "image", "url": "https://…"}`."""

    type = StrictChoiceField(choices=["color", "image"])
    value = serializers.RegexField(
        r"^#[0-9a-fA-F]{6}$", required=False, error_messages={"invalid": "Must be a colour like #1a2b3c."}
    )
    url = StrictCharField(required=False, max_length=2000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "type" not in attrs:
            # A change of a video is partial, and what is inside it too: there DRF does not ask for it.
            raise serializers.ValidationError({"type": "This field is required."})
        wanted, other = ("value", "url") if attrs["type"] == "color" else ("url", "value")
        if wanted not in attrs:
            raise serializers.ValidationError({wanted: f"Is required for a background of type {attrs['type']}."})
        if other in attrs:
            raise serializers.ValidationError({other: f"Does not go with a background of type {attrs['type']}."})
        return attrs

    def validate_url(self, url: str) -> str:
        """The address is fetched by HeyGen, and must lead nobody into a private network."""
        if not settings.ALLOW_PRIVATE_IMAGE_URLS:
            try:
                check_public_url(url)
            except ForbiddenAddress as error:
                raise serializers.ValidationError(str(error)) from error
        return url


@extend_schema_field(
    {"type": "object", "maxProperties": 20, "additionalProperties": {"type": "string", "maxLength": 500}}
)
class MetadataField(serializers.Field[Any, Any, Any, Any]):
    """At most 20 pairs of strings, kept for the client and never looked at."""

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


class VideoInput(StrictSerializer):
    title = StrictCharField(max_length=200, required=False, allow_blank=True)
    script = StrictCharField(max_length=SCRIPT_LIMIT, trim_whitespace=False, help_text=SCRIPT_HELP)
    avatar_id = StrictUUIDField()
    voice_id = StrictUUIDField(required=False, allow_null=True, help_text="Left out: the avatar's own voice.")
    format = StrictChoiceField(choices=VideoFormat.choices, required=False)
    resolution = StrictChoiceField(choices=Resolution.choices, required=False)
    language = StrictCharField(max_length=100, required=False, allow_null=True)
    captions = StrictBooleanField(required=False, help_text="Burned into the picture; a sidecar is always there.")
    background = BackgroundInput(required=False, allow_null=True)
    speed = StrictFloatField(min_value=0.5, max_value=1.5, required=False)
    metadata = MetadataField(required=False)

    def validate_script(self, script: str) -> str:
        if not estimates.is_speakable(script):
            raise serializers.ValidationError("Has nothing in it that can be spoken.")
        return script


class VideoCreateInput(VideoInput):
    draft = StrictBooleanField(required=False)


class ErrorOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    retryable = serializers.BooleanField()


class WarningOutput(serializers.Serializer[Any]):
    """Something that the client should know, though nothing forbids it."""

    code = serializers.CharField(help_text="`voice_script_mismatch`, `uncertain_length`; more may come.")
    message = serializers.CharField()
    field = serializers.CharField(help_text="Of the request.")


class VideoCreditsOutput(serializers.Serializer[Any]):
    held = serializers.IntegerField(help_text="Set aside while it is being made.")
    charged = serializers.IntegerField(help_text="What it cost in the end.")


class BackgroundOutput(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=["color", "image"])
    value = serializers.CharField(required=False)
    url = serializers.CharField(required=False)


class VideoOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=PublicStatus.choices)
    progress_percent = serializers.IntegerField(min_value=0, max_value=100)
    script = serializers.CharField()
    avatar_id = serializers.UUIDField()
    voice_id = serializers.UUIDField()
    format = serializers.ChoiceField(choices=VideoFormat.choices)
    resolution = serializers.ChoiceField(choices=Resolution.choices)
    language = serializers.CharField(allow_null=True)
    captions = serializers.BooleanField()
    background = BackgroundOutput(allow_null=True)
    speed = serializers.FloatField()
    metadata = serializers.DictField(child=serializers.CharField())
    batch_id = serializers.UUIDField(allow_null=True)
    retry_of = serializers.UUIDField(allow_null=True)
    duration_seconds = serializers.FloatField(allow_null=True)
    file_url = serializers.CharField(allow_null=True)
    thumbnail_url = serializers.CharField(allow_null=True)
    captions_url = serializers.CharField(allow_null=True)
    credits = VideoCreditsOutput()
    error = ErrorOutput(allow_null=True)
    warnings = WarningOutput(many=True)
    waiting_for = serializers.ChoiceField(choices=WaitingFor.choices, allow_null=True, help_text=WAITING_FOR)
    queue_position = serializers.IntegerField(allow_null=True)
    eta_seconds = serializers.IntegerField(allow_null=True, help_text="Null while nothing can be promised.")
    cancel_credits = serializers.IntegerField(
        allow_null=True, help_text="What canceling it would cost now; null where it cannot be canceled."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    is_test = serializers.BooleanField(help_text="Made for a test key: free and watermarked.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Its files are removed then; null: never.")


class HoldFactorField(serializers.FloatField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            min_value=1,
            max_value=2,
            help_text="`credits` are multiplied by this: usually 1; up to 2 for 30 days after a video of the account "
            "was much longer than what was held for it.",
            **options,
        )


class QuoteOutput(serializers.Serializer[Any]):
    credits = serializers.IntegerField(help_text="What would be held: the most that the video can cost.")
    estimated_seconds = serializers.IntegerField()
    available_credits = serializers.IntegerField()
    affordable = serializers.BooleanField()
    eta_seconds = serializers.IntegerField(allow_null=True, help_text="Null while nothing can be promised.")
    waiting_for = serializers.ChoiceField(
        choices=WaitingFor.choices, allow_null=True, help_text=f"Were it queued now. {WAITING_FOR}"
    )
    hold_factor = HoldFactorField()
    warnings = WarningOutput(many=True)


class EventOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    from_status = serializers.ChoiceField(choices=PublicStatus.choices, allow_null=True)
    to_status = serializers.ChoiceField(choices=PublicStatus.choices)
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
