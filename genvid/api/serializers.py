"""Serializers and fields of the API: strict input, answers, and each field's part of the OpenAPI document.

Input is strict: unknown fields are refused and types are not coerced, so that clients notice typing errors.
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
"""The OpenAPI document is the same on every site, but for its `servers`."""

EXAMPLE_TIME = "2026-05-01T12:00:00Z"
EXAMPLE_REQUEST_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@cache
def example_id(of: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"{EXAMPLE_SITE}/{of}")


class Documented:
    """Mixin of a field with an example for the OpenAPI document.

    Without `example`: a typical value of the type, null for a nullable field, nothing for an optional one.
    """

    example: Any = empty
    description = ""
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
    pass


class EmailField(Documented, serializers.EmailField):
    example = "ada@example.com"


class IdField(Documented, serializers.UUIDField):
    """`of` names the kind of thing whose example id is shown."""

    def __init__(self, of: str = "", **options: Any) -> None:
        super().__init__(example=str(example_id(of)) if of else empty, **options)


class TimestampField(Documented, serializers.DateTimeField):
    pass


class FractionField(Documented, serializers.FloatField):
    pass


class NumberField(Documented, serializers.IntegerField):
    pass


class MoneyField(NumberField):
    description = "Minor units of `currency` (cents)."


class CreditsField(NumberField):
    example = 5


class FlagField(Documented, serializers.BooleanField):
    pass


class EnumField(Documented, serializers.ChoiceField):
    pass


class PatternField(Documented, serializers.RegexField):
    pass


class TextListField(Documented, serializers.ListField):
    child = serializers.CharField()


class TextDictField(Documented, serializers.DictField):
    child = serializers.CharField()


class StrictCharField(TextField):
    """Text only: DRF's own field would turn 1 into "1"."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PasswordField(StrictCharField):
    example = "correct horse battery staple"

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=256, trim_whitespace=False, write_only=True, **options)


class NewPasswordField(PasswordField):
    SHORTEST = 8


class StrictEmailField(EmailField):
    """ASCII only: look-alike letters of other scripts would make two people of one mailbox."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not data.isascii():
            raise serializers.ValidationError("Only ASCII; an international domain goes by its xn-- name.")
        return super().to_internal_value(data)


class StrictBooleanField(FlagField):
    """`true` and `false` only: DRF's own field would accept "yes" and 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictFloatField(FractionField):
    """Numbers only: DRF's own field would accept "1.5" and true."""

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
    """ISO 8601 with an offset: without one, the moment depends on the client's time zone."""

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
    """A field of an `OutputSerializer` whose value is `read(row, *context)`."""
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
        """Reads the declared fields from `computed`, from `shown`, or from attributes of `row`; without a row, null."""
        if row is None:
            return dict.fromkeys(cls._declared_fields) | computed
        data = {name: getattr(row, attribute) for name, attribute in cls._attributes.items() if name not in computed}
        data |= {name: read(row, *context) for name, read in cls._readers.items() if name not in computed}
        return data | computed


class DataclassSerializer(StrictSerializer):
    """Has the fields in the annotations of `dataclass`: `title: Annotated[str, StrictCharField()] = ""`.

    A field with a default is optional.
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
    serializer = serializer_class(data=data, **kwargs)
    try:
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)
    finally:
        _release(serializer)


def _release(field: Any) -> None:
    """Cut the references of fields to their parent: only a garbage collection would free them."""
    children = [*vars(field).pop("fields", {}).values(), *filter(None, [vars(field).get("child")])]
    for child in children:
        child.parent = None
        _release(child)


def refuse_field(name: str, message: str) -> ValidationFailed:
    return ValidationFailed(details={name: message})
