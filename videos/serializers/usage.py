"""Serializers of `usage`, and its query parameters."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rest_framework import serializers

from genvid.api import serializers as api
from genvid.errors import ValidationFailed
from videos.usage import Span

MAX_DAYS = 366
DEFAULT_DAYS = 30
GROUPS = ("day", "api_key")
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class DayField(api.Documented, serializers.DateField):
    """A day, UTC."""


class SpentOutput(api.OutputSerializer):
    charged = api.CreditsField(help_text="For videos whose charge falls into the time.", example=4)
    refunded = api.CreditsField(help_text="Given back in the time, whenever it was charged.", example=0)


class MadeOutput(api.OutputSerializer):
    created = api.NumberField(help_text="Ordered; drafts and those of test keys are not counted.")
    completed = api.NumberField()


class AmountsOutput(api.OutputSerializer):
    credits = SpentOutput()
    videos = MadeOutput()


class UsageRowOutput(AmountsOutput):
    day = DayField(required=False, help_text="UTC; with `group_by=day`.", example="2026-05-01")
    api_key_id = api.IdField(
        required=False, allow_null=True, help_text="With `group_by=api_key`; null: people, and keys that are gone."
    )
    name = api.TextField(required=False, allow_null=True, help_text="Of the API key.")


class SpeechTodayOutput(api.OutputSerializer):
    free_seconds = api.NumberField(help_text="Of each UTC day, by your plan.", example=600)
    free_seconds_left = api.FractionField(
        help_text="Of today's. What is being spoken has set aside the longest that it may take.", example=588.2
    )
    resets_at = api.TimestampField(help_text="When the next day begins.", example="2026-05-02T00:00:00Z")
    credits_per_minute = api.NumberField(
        allow_null=True, help_text="Of each begun minute beyond them; null while it is not sold.", example=1
    )


class UsageOutput(api.OutputSerializer):
    first_day = DayField(example="2026-05-01")
    last_day = DayField(example="2026-05-31")
    group_by = api.EnumField(GROUPS)
    rows = UsageRowOutput(many=True)
    total = AmountsOutput()
    speech_today = SpeechTodayOutput(help_text="What may be heard today, whatever the span.")


def span_of(params: Any) -> Span:
    """`from` and `to`, both included; the last `DEFAULT_DAYS` when left out. Raises ValidationFailed."""
    today = datetime.now(UTC).date()
    wrong: dict[str, str] = {}
    last = _day(params, "to", today, wrong)
    first = _day(params, "from", last - timedelta(days=DEFAULT_DAYS - 1), wrong)
    if not wrong and not timedelta() <= last - first < timedelta(days=MAX_DAYS):
        wrong["from"] = f"Must be at most {MAX_DAYS - 1} days before `to`, and not after it."
    if wrong:
        raise ValidationFailed(details=wrong)
    return Span(first, last)


def _day(params: Any, name: str, default: date, wrong: dict[str, str]) -> date:
    text = params.get(name)
    if text is None:
        return default
    try:
        if not ISO_DAY.fullmatch(text):
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError:
        wrong[name] = "Must be a day, such as 2026-01-31."
        return default
    if not 2000 <= day.year < 3000:
        wrong[name] = "Lies too far away."
        return default
    return day
