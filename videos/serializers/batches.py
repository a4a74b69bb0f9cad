"""What clients send and get for a batch."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework import serializers

from videos.enums import Resolution, VideoFormat
from videos.models import Batch
from videos.rows import MOST_COLUMNS, NAME, BadTable, Table, read_csv
from videos.serializers.videos import BackgroundOutput, VideoInput

MOST_ROWS = 1000
MOST_VALUE = 5000


class RowsField(serializers.Field[Any, Any, Any, Any]):
    """1 to 1,000 objects of texts, one for each video: `[{"name": "Ada"}, …]`."""

    def to_internal_value(self, data: Any) -> Table:
        if not isinstance(data, list) or not data:
            raise serializers.ValidationError("Must be a list of objects, at least one.")
        if len(data) > MOST_ROWS:
            raise serializers.ValidationError(f"There are more than {MOST_ROWS} rows.")
        wrong = {str(index): problems for index, row in enumerate(data) if (problems := _row_problems(row))}
        if wrong:
            raise serializers.ValidationError(dict(list(wrong.items())[:100]))
        columns = list(dict.fromkeys(name for row in data for name in row))
        if len(columns) > MOST_COLUMNS:
            raise serializers.ValidationError(f"There are more than {MOST_COLUMNS} columns.")
        return Table(columns, data, [])

    def to_representation(self, value: Any) -> Any:
        return value.rows


def _row_problems(row: Any) -> Any:
    if not isinstance(row, Mapping):
        return ["Must be an object of texts."]
    return {name: [problem] for name, value in row.items() if (problem := _cell_problem(name, value))}


def _cell_problem(name: str, value: Any) -> str:
    if not NAME.fullmatch(name):
        return "Is no column name: letters, digits and _, at most 64, no digit first."
    if not isinstance(value, str):
        return "Must be a text."
    if "\x00" in value:
        return "Null characters are not allowed."
    return f"Is longer than {MOST_VALUE} characters." if len(value) > MOST_VALUE else ""


class RowsFileField(serializers.FileField):
    """A CSV whose first line names the columns: UTF-8 or UTF-16; comma, semicolon or tab; at most 1,000 rows."""

    def to_internal_value(self, data: Any) -> Any:
        file: Any = super().to_internal_value(data)
        try:
            table = read_csv(file.read(), most_rows=MOST_ROWS)
        except BadTable as error:
            raise serializers.ValidationError(str(error)) from error
        if not table.rows:
            raise serializers.ValidationError("The file has no rows below its header.")
        return table


class BatchInput(VideoInput):
    """A video's wishes, with `{{variables}}` in script and title, and the rows that fill them."""

    rows = RowsField()

    def validate_script(self, script: str) -> str:
        """Whether it can be spoken is seen row by row."""
        return script


class BatchFormInput(VideoInput):
    """The same as a form: `rows_file` is a CSV; `background` and `metadata` are JSON."""

    rows_file = RowsFileField()

    def validate_script(self, script: str) -> str:
        return script


class CountsOutput(serializers.Serializer[Any]):
    queued = serializers.IntegerField()
    processing = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    canceled = serializers.IntegerField()


class BatchCreditsOutput(serializers.Serializer[Any]):
    quoted = serializers.IntegerField(help_text="What was held for all of it at the start.")
    held = serializers.IntegerField(help_text="Set aside for what has not ended.")
    charged = serializers.IntegerField(help_text="What the finished videos cost.")


class BatchOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=["processing", "completed", "canceled"])
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
    columns = serializers.ListField(child=serializers.CharField())
    total = serializers.IntegerField()
    counts = CountsOutput()
    progress_percent = serializers.IntegerField(min_value=0, max_value=100)
    credits = BatchCreditsOutput()
    results_url = serializers.CharField(help_text="A CSV with a line for each row.")
    created_at = serializers.DateTimeField()
    canceled_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


class BatchQuoteOutput(serializers.Serializer[Any]):
    credits = serializers.IntegerField(help_text="What would be held: the most that the batch can cost.")
    videos = serializers.IntegerField()
    estimated_seconds = serializers.IntegerField()
    available_credits = serializers.IntegerField()
    affordable = serializers.BooleanField()


DEFAULTS: dict[str, Any] = {
    "format": VideoFormat.LANDSCAPE,
    "resolution": Resolution.FULL_HD,
    "language": None,
    "captions": False,
    "background": None,
    "speed": 1.0,
    "metadata": {},
}
PLAIN = ("id", "title", "script", "columns", "total", "created_at", "canceled_at", "completed_at")


def batch_data(batch: Batch, standing: Mapping[str, Any]) -> dict[str, Any]:
    """The one shape of a batch. `standing`: counts, progress and credits, as `batching.standings` finds them."""
    status = "processing" if batch.open else "canceled" if batch.canceled_at else "completed"
    return {
        **{name: getattr(batch, name) for name in PLAIN},
        **DEFAULTS,
        **batch.template,
        "status": status,
        "counts": standing["counts"],
        "progress_percent": 100 if not batch.open else standing["progress_percent"],
        "credits": {"quoted": batch.credits_quoted, "held": standing["held"], "charged": standing["charged"]},
        "results_url": f"{settings.PUBLIC_URL}/api/v1/batches/{batch.pk}/results.csv",
    }
