"""Serializers and fields of the API: strict input, answers, and what the OpenAPI document says of each field.

Input is strict: unknown fields are refused and types are not coerced, so that typos and bugs are seen.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, TypeVar, get_type_hints
from uuid import NAMESPACE_URL, UUID, uuid5

from rest_framework import serializers
from rest_framework.fields import empty

from genvid.errors import ValidationFailed

EXAMPLE_SITE = "https://genvid.example.com"
"""In examples: the OpenAPI document is the same on every site, but for its `servers`."""

EXAMPLE_TIME = "2026-05-01T12:00:00Z"
EXAMPLE_REQUEST_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@cache
def example_id(of: str) -> UUID:
    """The id that examples use for the one thing of this kind: `example_id("video")`."""
    return uuid5(NAMESPACE_URL, f"{EXAMPLE_SITE}/{of}")


class Documented:
    """Mixin of a field with an example for the OpenAPI document.

    Without `example`, examples show a typical value of the type; null where the field may be null; nothing where it may
    be left out.
    """

    example: Any = empty
    description = ""
    """What every field of this class means; `help_text` replaces it."""
    _args: tuple[Any, ...]
    _kwargs: dict[str, Any]

    def __init__(self, *args: Any, example: Any = empty, **options: Any) -> None:
        super().__init__(*args, **options)
        if example is not empty:
            self.example = example

    def __deepcopy__(self, memo: Any) -> Any:
        # Each serializer copies its fields. DRF would copy every argument with them; only a child changes.
        options = {
            k: copy.deepcopy(v, memo) if isinstance(v, serializers.Field) else v for k, v in self._kwargs.items()
        }
        return type(self)(*self._args, **options)


class TextField(Documented, serializers.CharField):
    """A text."""


class EmailField(Documented, serializers.EmailField):
    """An e-mail address."""

    example = "ada@example.com"


class IdField(Documented, serializers.UUIDField):
    """An id. With `of`, examples show the one id that they use for the thing of that kind."""

    def __init__(self, of: str = "", **options: Any) -> None:
        super().__init__(example=str(example_id(of)) if of else empty, **options)


class TimestampField(Documented, serializers.DateTimeField):
    """A moment."""


class FractionField(Documented, serializers.FloatField):
    """A number with a fraction."""


class NumberField(Documented, serializers.IntegerField):
    """A whole number."""


class MoneyField(NumberField):
    """An amount of money."""

    description = "Minor units of `currency` (cents)."


class CreditsField(NumberField):
    """A number of credits."""

    example = 5


class FlagField(Documented, serializers.BooleanField):
    """A boolean."""


class EnumField(Documented, serializers.ChoiceField):
    """One of `choices`."""


class PatternField(Documented, serializers.RegexField):
    """A text of a pattern."""


class TextListField(Documented, serializers.ListField):
    """A list of texts."""

    child = serializers.CharField()


class TextDictField(Documented, serializers.DictField):
    """An object of texts."""

    child = serializers.CharField()


class StrictCharField(TextField):
    """Text only: DRF's own field would turn 1 into "1"."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PasswordField(StrictCharField):
    """A password that somebody has."""

    example = "correct horse battery staple"

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=256, trim_whitespace=False, write_only=True, **options)


class NewPasswordField(PasswordField):
    """A password to be. What it has to be like, and how long, is AUTH_PASSWORD_VALIDATORS' to say."""

    SHORTEST = 8


class StrictEmailField(EmailField):
    """ASCII only: other letters look like these, and two spellings of one mailbox would be two people."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not data.isascii():
            raise serializers.ValidationError("Only ASCII; an international domain goes by its xn-- name.")
        return super().to_internal_value(data)


class StrictBooleanField(FlagField):
    """`true` and `false` only: DRF's own field would take "yes" and 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictFloatField(FractionField):
    """Numbers only: DRF's own field would take "1.5" and true."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictIntegerField(NumberField):
    """Whole JSON numbers only; `5.0` is one, as many languages write it."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class StrictDateTimeField(TimestampField):
    """ISO 8601 with an offset: a moment without one means something else in each country."""

    default_error_messages: ClassVar[Any] = {"naive": "Must name its offset from UTC, like 2026-05-01T12:00:00Z."}

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str):
            self.fail("invalid", format="ISO 8601")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail("invalid", format="ISO 8601")
        if moment.tzinfo is None:
            self.fail("naive")
        return super().to_internal_value(value)


class StrictUUIDField(IdField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or len(data) != 36:
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class StrictChoiceField(EnumField):
    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices, **options)
        self.error_messages["invalid_choice"] = f"Must be one of {', '.join(map(str, self.choices))}."

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class StrictListField(Documented, serializers.ListField):
    """Too long a list is refused before its items are looked at."""

    def __init__(self, *, most: int, **options: Any) -> None:
        self.most = most
        super().__init__(max_length=most, **options)

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > self.most:
            self.fail("max_length", max_length=self.most)
        items: list[Any] = super().to_internal_value(data)
        return items


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know, by name. Shapes input only: saving is the services' work."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"non_field_errors": ["Expected a JSON object."]})
        known = {name for name, field in self.fields.items() if not field.read_only}
        unknown = {name: ["Unknown field."] for name in data if name not in known}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            known_wrong = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
            raise serializers.ValidationError({**known_wrong, **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return value


FieldT = TypeVar("FieldT", bound=serializers.Field[Any, Any, Any, Any])


def shown(field: FieldT, read: Callable[..., Any]) -> FieldT:
    """The field of an `OutputSerializer`, to show what `read` makes of the row and its context."""
    field.read = read  # type: ignore[attr-defined]
    return field


class OutputSerializer(serializers.Serializer[Any]):
    """Describes an answer. `of` makes the answer without the cost of a serializer."""

    _attributes: ClassVar[dict[str, str]]
    _readers: ClassVar[dict[str, Callable[..., Any]]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        fields = cls._declared_fields
        cls._readers = {name: field.read for name, field in fields.items() if hasattr(field, "read")}
        cls._attributes = {name: field.source or name for name, field in fields.items() if name not in cls._readers}

    @classmethod
    def of(cls, row: Any, *context: Any, **computed: Any) -> dict[str, Any]:
        """The declared fields: as `computed`, as `shown`, otherwise as the attributes of `row`; without a row, null."""
        if row is None:
            return dict.fromkeys(cls._declared_fields) | computed
        data = {name: getattr(row, attribute) for name, attribute in cls._attributes.items() if name not in computed}
        data |= {name: read(row, *context) for name, read in cls._readers.items() if name not in computed}
        return data | computed


class DataclassSerializer(StrictSerializer):
    """Has the fields in the annotations of `dataclass`: `title: Annotated[str, StrictCharField()] = ""`.

    What has a default there may be left out of a body.
    """

    dataclass: ClassVar[Any]

    def get_fields(self) -> dict[str, Any]:
        found = copy.deepcopy(_annotated_fields(self.dataclass))
        for each in fields(self.dataclass):
            found[each.name].required = each.default is MISSING and each.default_factory is MISSING
        return found | super().get_fields()


@cache
def _annotated_fields(dataclass: Any) -> dict[str, Any]:
    hints = get_type_hints(dataclass, include_extras=True)
    return {each.name: hints[each.name].__metadata__[0] for each in fields(dataclass)}


def validated(serializer_class: type[serializers.Serializer[Any]], data: Any, **kwargs: Any) -> dict[str, Any]:
    """Run a serializer over `data` and hand back what it made of it; raises DRF's ValidationError."""
    serializer = serializer_class(data=data, **kwargs)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def refuse_field(name: str, message: str) -> ValidationFailed:
    """The error for one field, found wrong below the serializer."""
    return ValidationFailed(details={name: message})
