"""Query parameters of the catalogue lists."""

from typing import Any

import django_filters
from django.db import connection
from django.db.models import QuerySet

from avatars.enums import AvatarKind
from avatars.models import Avatar, Voice
from genvid.api.filters import GivenFilterSet, StrictBooleanFilter, TextFilter


class AvatarFilter(GivenFilterSet):
    gender = TextFilter(field_name="gender", lookup_expr="iexact", help_text="For example `female`.")
    kind = django_filters.ChoiceFilter(choices=AvatarKind.choices)
    premium = StrictBooleanFilter(field_name="is_premium")
    tag = TextFilter(method="with_tag", help_text="One of its tags. For example `business`.")
    search = TextFilter(field_name="name", lookup_expr="icontains", help_text="A part of the name. For example `ada`.")

    class Meta:
        model = Avatar
        fields: list[str] = []

    def with_tag(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if connection.features.supports_json_field_contains:
            return queryset.filter(tags__contains=[value])
        tagged = [pk for pk, tags in queryset.values_list("pk", "tags") if value in tags]
        return queryset.filter(pk__in=tagged)


class VoiceFilter(GivenFilterSet):
    language = TextFilter(field_name="language", lookup_expr="iexact", help_text="For example `English`.")
    gender = TextFilter(field_name="gender", lookup_expr="iexact", help_text="For example `female`.")
    search = TextFilter(field_name="name", lookup_expr="icontains", help_text="A part of the name. For example `ada`.")

    class Meta:
        model = Voice
        fields: list[str] = []
