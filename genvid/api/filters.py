"""Filters of lists that refuse what they do not understand, instead of ignoring it."""

from datetime import UTC
from typing import Any

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


class InstantFilter(django_filters.Filter):
    field_class = InstantField


class TextFilter(django_filters.Filter):
    field_class = PlainTextField


def filter_parameters(filterset: type[django_filters.FilterSet]) -> list[OpenApiParameter]:
    """The filters of a list, and those of its pages, for the OpenAPI document."""
    names = [*filterset.base_filters]
    filters = [OpenApiParameter(name, description=_described(filterset, name)) for name in names]
    return [*filters, *PAGE_PARAMETERS]


def _described(filterset: type[django_filters.FilterSet], name: str) -> str:
    return str(filterset.base_filters[name].extra.get("help_text", ""))


PAGE_PARAMETERS = [
    OpenApiParameter("limit", int, description="Rows of a page, 1 to 100; 20 when left out."),
    OpenApiParameter("cursor", description="`meta.next_cursor` or `previous_cursor` of another page."),
]
