"""Query parameters of the catalogue lists."""

from typing import Any

import django_filters
from django.db import connection
from django.db.models import QuerySet

from avatars.enums import AvatarKind, Owner
from avatars.models import Avatar, Voice
from genvid.api.filters import GivenFilterSet, StrictBooleanFilter, TextFilter


class OwnerFilter(GivenFilterSet):
    owner = django_filters.ChoiceFilter(
        choices=Owner.choices,
        method="of_owner",
        help_text="`me`: those of your account alone; `shared`: those that everybody sees.",
    )

    def of_owner(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """The rows are limited to those of all and of the caller's account already."""
        return queryset.filter(account__isnull=value == Owner.SHARED)


class AvatarFilter(OwnerFilter):
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


class VoiceFilter(OwnerFilter):
    language = TextFilter(field_name="language", lookup_expr="iexact", help_text="For example `English`.")
    gender = TextFilter(field_name="gender", lookup_expr="iexact", help_text="For example `female`.")
    search = TextFilter(field_name="name", lookup_expr="icontains", help_text="A part of the name. For example `ada`.")

    class Meta:
        model = Voice
        fields: list[str] = []
