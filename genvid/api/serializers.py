"""Strict input: unknown fields are refused and types are not coerced, so that typos and bugs are seen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from rest_framework import serializers

from genvid.errors import ValidationFailed


class StrictCharField(serializers.CharField):
    """Text only: DRF's own field would turn 1 into "1"."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class NewPasswordField(StrictCharField):
    """A password to be. What it has to be like, and how long, is AUTH_PASSWORD_VALIDATORS' to say."""

    SHORTEST = 8

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=256, trim_whitespace=False, write_only=True, **options)


class StrictEmailField(serializers.EmailField):
    """ASCII only: other letters look like these, and two spellings of one mailbox would be two people."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not data.isascii():
            raise serializers.ValidationError("Only ASCII; an international domain goes by its xn-- name.")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """`true` and `false` only: DRF's own field would take "yes" and 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictFloatField(serializers.FloatField):
    """Numbers only: DRF's own field would take "1.5" and true."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """Whole JSON numbers only; `5.0` is one, as many languages write it."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class StrictDateTimeField(serializers.DateTimeField):
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


class StrictUUIDField(serializers.UUIDField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or len(data) != 36:
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class StrictChoiceField(serializers.ChoiceField):
    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices, **options)
        self.error_messages["invalid_choice"] = f"Must be one of {', '.join(map(str, self.choices))}."

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class StrictListField(serializers.ListField):
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


def validated(serializer_class: type[serializers.Serializer[Any]], data: Any, **kwargs: Any) -> dict[str, Any]:
    """Run a serializer over `data` and hand back what it made of it; raises DRF's ValidationError."""
    serializer = serializer_class(data=data, **kwargs)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def refuse_field(name: str, message: str) -> ValidationFailed:
    """The error for one field, found wrong below the serializer."""
    return ValidationFailed(details={name: message})
