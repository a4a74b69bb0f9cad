"""Input serializers of a video, and the quote of one."""

from typing import Any

from rest_framework import serializers

from genvid.api import serializers as api
from genvid.api.serializers import DataclassSerializer, StrictBooleanField
from videos.enums import WaitingFor
from videos.queue import estimates
from videos.representations import WAITING_FOR, WarningOutput
from videos.video_request import NAMES, NOTHING_SPEAKABLE, VideoChanges, VideoRequest


class VideoInput(DataclassSerializer):
    """A video to make: who says what, and how it looks."""

    dataclass = VideoRequest

    def validate_script(self, script: str | None) -> str | None:
        if script is not None and not estimates.is_speakable(script):
            raise serializers.ValidationError(NOTHING_SPEAKABLE)
        return script

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Its fields become one `request`, or `changes` for a partial update."""
        values = {name: attrs.pop(name) for name in NAMES if name in attrs}
        if self.partial:
            return {"changes": VideoChanges(values)} | attrs
        request = VideoRequest(**values)
        if wrong := request.problems():
            raise serializers.ValidationError(wrong)
        return {"request": request} | attrs


class VideoCreateInput(VideoInput):
    draft = StrictBooleanField(required=False, example=False)


class HoldFactorField(api.FractionField):
    description = (
        "`credits` are multiplied by this: usually 1; up to 2 for 30 days after a video of the account was much longer "
        "than what was held for it."
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=2, **options)


class QuoteOutput(api.OutputSerializer):
    credits = api.CreditsField(help_text="What would be held: the most that the video can cost.")
    estimated_seconds = api.NumberField(example=4)
    available_credits = api.CreditsField(example=30)
    affordable = api.FlagField()
    eta_seconds = api.NumberField(allow_null=True, help_text="Null while nothing can be promised.", example=95)
    waiting_for = api.EnumField(WaitingFor.choices, allow_null=True, help_text=f"Were it queued now. {WAITING_FOR}")
    hold_factor = HoldFactorField()
    warnings = api.TextListField(child=WarningOutput(), example=[])
