"""Filters of lists that refuse unknown parameters and values."""

from collections import OrderedDict
from datetime import UTC
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter


class BooleanWordField(forms.Field):
    def to_python(self, value: Any) -> bool | None:
        if value in (None, ""):
            return None
        if value not in ("true", "false"):
            raise ValidationError("Must be true or false.")
        return bool(value == "true")


class InstantField(forms.Field):
    """ISO 8601; a time without an offset is UTC."""

    def to_python(self, value: Any) -> Any:
        if value in (None, ""):
            return None
        try:
            moment = parse_datetime(value)
        except ValueError:
            moment = None
        if moment is None:
            raise ValidationError("Must be an ISO 8601 time, such as 2026-01-31T12:00:00Z.")
        try:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except OverflowError:
            raise ValidationError("Is before or after all time.") from None


class PlainTextField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=200, **kwargs)
        self.validators.append(ProhibitNullCharactersValidator())


class StrictBooleanFilter(django_filters.Filter):
    field_class = BooleanWordField
    schema: ClassVar = {"type": "boolean"}


class InstantFilter(django_filters.Filter):
    field_class = InstantField
    schema: ClassVar = {"type": "string", "format": "date-time", "examples": ["2026-05-01T00:00:00Z"]}


class TextFilter(django_filters.Filter):
    field_class = PlainTextField
    schema: ClassVar = {"type": "string", "maxLength": 200}


class GivenFilterSet(django_filters.FilterSet):
    """Makes only the filters that are given: django-filter copies all of them, with a form, for each request."""

    def __init__(self, data: Any = None, *args: Any, **options: Any) -> None:
        given = data or {}
        self.base_filters = OrderedDict((name, each) for name, each in type(self).base_filters.items() if name in given)
        super().__init__(data, *args, **options)

    def release(self) -> None:
        """Cut the references between filters, form and fields: only a garbage collection would free them."""
        for each in (*self.filters.values(), self.form, self):
            vars(each).clear()


def filter_parameters(filterset: type[django_filters.FilterSet]) -> list[OpenApiParameter]:
    filters = [
        OpenApiParameter(name, _schema_of(each), description=str(each.extra.get("help_text", "")))
        for name, each in filterset.base_filters.items()
    ]
    return [*filters, *PAGE_PARAMETERS]


def refusal_message(each: django_filters.Filter, messages: list[str]) -> str:
    if isinstance(each, django_filters.ChoiceFilter):
        return f"Must be one of {', '.join(_schema_of(each)['enum'])}."
    return " ".join(messages)


def accepts_empty(each: django_filters.Filter) -> bool:
    return _schema_of(each).keys() <= {"type", "maxLength", "pattern"} and _schema_of(each)["type"] == "string"


def _schema_of(each: django_filters.Filter) -> dict[str, Any]:
    if isinstance(each, django_filters.UUIDFilter):
        return {"type": "string", "format": "uuid"}
    if isinstance(each, django_filters.ChoiceFilter):
        return {"type": "string", "enum": [value for value, _ in each.extra["choices"]]}
    return dict(getattr(each, "schema", {"type": "string"}))


CURSOR = "cD0yMDI2LTA1LTAxKzEyJTNBMDA"
PAGE_PARAMETERS = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": 100, "examples": [20]},
        description="Rows of a page; 20 when left out.",
    ),
    OpenApiParameter(
        "cursor", description=f"`meta.next_cursor` or `previous_cursor` of another page. For example `{CURSOR}`."
    ),
]
