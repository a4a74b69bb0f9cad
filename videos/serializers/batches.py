"""Input serializers of batches, and the quote of a batch."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from genvid.api import serializers as api
from genvid.api.parsers import parse_json
from genvid.api.serializers import StrictCharField, StrictUUIDField
from genvid.errors import MalformedBody
from videos.batches.batch_input import VARIABLE, BadEncoding, BadTable, Table, read_csv, read_objects
from videos.batches.csv_alphabets import CODECS
from videos.batches.csv_encodings import canonical_encoding
from videos.representations import EXAMPLE_SCRIPT, EXAMPLE_TITLE
from videos.serializers.videos import HoldFactorField, VideoInput
from videos.video_request import MetadataField, UploadInput

MAX_ROWS = 1000
MAX_ID_TEMPLATE = 100
WITHOUT_ROWS = ("speech_id", "audio")
"""A recording says the same in every row."""
EXAMPLE_ROWS = [{"name": "Ada"}, {"name": "Grace"}]


@extend_schema_field(
    {
        "type": "array",
        "minItems": 1,
        "maxItems": 1000,
        "items": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 5000}},
    }
)
class RowsField(serializers.Field[Any, Any, Any, Any]):
    """1 to 1,000 objects of texts, one for each video: `[{"name": "Ada"}, …]`."""

    example = EXAMPLE_ROWS

    def to_internal_value(self, data: Any) -> Table:
        if not isinstance(data, list) or not data:
            raise serializers.ValidationError("Must be a list of objects, at least one.")
        if len(data) > MAX_ROWS:
            raise serializers.ValidationError(f"There are more than {MAX_ROWS} rows.")
        try:
            return read_objects(data)
        except BadTable as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: Any) -> Any:
        return value.rows


class RowsFileField(serializers.FileField):
    """A CSV whose first line names the columns, as Excel, Numbers and LibreOffice save it; at most 1,000 rows.

    UTF-8, UTF-16 or, with `encoding`, a code page; separated by comma, semicolon, tab or pipe. A column fills the
    variable of its name, whatever its case and accents; the names of other columns do not matter.
    """

    example = "name\nAda\nGrace\n"


class EncodingField(StrictCharField):
    """An encoding by any of its usual names, as the first name that we have for it."""

    example = "utf-8"

    default_error_messages: ClassVar[Any] = {"unknown": f"Must be one of {', '.join(CODECS)}."}

    def to_internal_value(self, data: Any) -> str:
        found = canonical_encoding(super().to_internal_value(data))
        if found is None:
            self.fail("unknown")
        return found


class TemplateIdField(StrictUUIDField):
    """An id, or a `{{variable}}` that each row fills with one."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and len(data) <= MAX_ID_TEMPLATE and VARIABLE.search(data):
            return data
        return super().to_internal_value(data)


class TemplateUploadInput(UploadInput):
    """`{"upload_id": "…"}`: a file of the account, or a `{{variable}}` that each row fills with its id."""

    upload_id = TemplateIdField("upload")


class TemplateInput(VideoInput):
    """A video's request with `{{variables}}` in script, title, `avatar_id` and `picture.upload_id`."""

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        for name in WITHOUT_ROWS:
            del found[name]
        found["title"].example, found["script"].example = EXAMPLE_TITLE, EXAMPLE_SCRIPT
        found["avatar_id"], found["picture"] = (
            TemplateIdField("avatar", allow_null=True),
            TemplateUploadInput(allow_null=True),
        )
        for name in ("avatar_id", "picture"):
            found[name].required = False
        return found

    def validate_script(self, script: str | None) -> str | None:
        """A template cannot be checked: each row's script is."""
        return script


class BatchInput(TemplateInput):
    """A video's request, with `{{variables}}` in script and title, and the rows that fill them."""

    rows = RowsField(source="table")


class BatchFormInput(TemplateInput):
    """A batch as a form: `rows_file` is a CSV; `background` and `metadata` are JSON."""

    rows_file = RowsFileField()
    encoding = EncodingField(
        required=False,
        help_text="Of `rows_file`, where it is neither UTF-8 nor UTF-16: `windows-1252`, `macintosh`, `windows-1251`, "
        "`shift_jis`, `gb18030`, … A quote names the likely one and shows how the rows read in it.",
    )

    def to_internal_value(self, data: Any) -> Any:
        """The file becomes a Table, so that one answer names the errors of the file and of the other fields."""
        form = _typed(dict(data), self.fields) if isinstance(data, Mapping) else data
        wrong: Any = {}
        value: Any = {}
        try:
            value = super().to_internal_value(form)
        except serializers.ValidationError as error:
            wrong = error.detail
        if isinstance(form, Mapping) and not {"rows_file", "encoding"} & set(wrong):
            try:
                value["table"] = _table_of(form["rows_file"], self.fields["encoding"], form.get("encoding"))
            except serializers.ValidationError as error:
                of_file: Any = error.detail
                wrong = {**wrong, **of_file}
        if wrong:
            raise serializers.ValidationError(wrong)
        return {name: each for name, each in value.items() if name not in ("rows_file", "encoding")}


def _table_of(file: Any, field: serializers.Field[Any, Any, Any, Any], encoding: Any) -> Table:
    named = None if encoding is None else field.run_validation(encoding)
    try:
        table = read_csv(file.read(), max_rows=MAX_ROWS, encoding=named)
    except BadEncoding as error:
        raise serializers.ValidationError({"encoding": [str(error)]}) from error
    except BadTable as error:
        raise serializers.ValidationError({"rows_file": [str(error)]}) from error
    if not table.rows:
        raise serializers.ValidationError({"rows_file": ["The file has no rows below its header."]})
    return table


JSON_KINDS: list[tuple[Any, str]] = [
    (serializers.BooleanField, "Must be true or false."),
    (serializers.FloatField, "Must be a number."),
    ((MetadataField, serializers.Serializer), "Must be an object, as JSON."),
]
"""Form fields of these kinds are read as JSON."""


def _typed(form: dict[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The form with the values of `fields` read as JSON where their kind needs it. Raises ValidationError."""
    expected = {name: said for name, each in fields.items() for kind, said in JSON_KINDS if isinstance(each, kind)}
    wrong: dict[str, list[str]] = {}
    for name in expected:
        text = form.get(name)
        if not isinstance(text, str):
            continue
        try:
            # `parse_json` reads an empty text as an empty object, like an empty body.
            form[name] = parse_json(text.encode() or b"?")
        except MalformedBody:
            wrong[name] = [expected[name]]
    if wrong:
        raise serializers.ValidationError(wrong)
    return form


class RowsWarningOutput(api.OutputSerializer):
    code = api.TextField(
        help_text="`encoding_guessed`, `short_rows`, `unnamed_columns`, or one of a video's.", example="short_rows"
    )
    message = api.TextField(example="Rows that end early were filled with empty cells: line 3.")
    field = api.TextField(example="rows_file")


class BatchQuoteOutput(api.OutputSerializer):
    credits = api.CreditsField(help_text="What would be held: the most that the batch can cost.", example=10)
    videos = api.NumberField(example=2)
    estimated_seconds = api.NumberField(example=4)
    available_credits = api.CreditsField(example=30)
    affordable = api.FlagField()
    hold_factor = HoldFactorField()
    encoding = api.TextField(
        allow_null=True, help_text="Of the file, as it was read; null for rows as JSON.", example=EncodingField.example
    )
    sample = api.TextListField(
        child=api.TextDictField(), help_text="The first three rows, as they were read.", example=EXAMPLE_ROWS
    )
    warnings = api.TextListField(child=RowsWarningOutput(), example=[])
