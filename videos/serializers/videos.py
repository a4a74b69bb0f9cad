"""What clients send and get for one video."""

from typing import Any

from rest_framework import serializers

from genvid.api.serializers import DataclassSerializer, StrictBooleanField
from videos import estimates
from videos.enums import PublicStatus, Resolution, VideoFormat, WaitingFor
from videos.video_request import NAMES, NOTHING_SPEAKABLE, VideoChanges, VideoRequest

WAITING_FOR = (
    "`slot`: for its turn; `own_slots`: until a video of its account that is being made ends; `provider`: the video "
    "service takes no orders; `staff`: this video alone waits for a decision of ours. Null unless it is queued."
)


class VideoInput(DataclassSerializer):
    """A video to make: who says what, and how it looks."""

    dataclass = VideoRequest

    def validate_script(self, script: str) -> str:
        if not estimates.is_speakable(script):
            raise serializers.ValidationError(NOTHING_SPEAKABLE)
        return script

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Its fields become one `request`, or `changes` where all of them may be left out."""
        values = {name: attrs.pop(name) for name in NAMES if name in attrs}
        asked = {"changes": VideoChanges(values)} if self.partial else {"request": VideoRequest(**values)}
        return asked | attrs


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
