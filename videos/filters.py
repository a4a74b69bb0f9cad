"""Query parameters of the video list."""

from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from genvid.api.filters import GivenFilterSet, InstantFilter, StrictBooleanFilter, TextFilter
from genvid.api.pagination import MAX_LIMIT
from genvid.api.serializers import example_id
from videos.enums import PublicStatus, stored_statuses
from videos.models import Video
from videos.querysets import in_statuses

ANY_STATUS = "|".join(PublicStatus.values)
VIDEO, BATCH, AVATAR = (example_id(kind) for kind in ("video", "batch", "avatar"))
ID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class StatusesField(forms.Field):
    """`queued,processing`"""

    def to_python(self, value: Any) -> set[str] | None:
        if not value:
            return None
        given = set(value.split(","))
        unknown = given - set(PublicStatus.values)
        if unknown:
            raise ValidationError(f"Must be a comma list of {', '.join(PublicStatus.values)}.")
        return given


class StatusesFilter(django_filters.Filter):
    field_class = StatusesField
    schema: ClassVar = {"type": "string", "pattern": f"^({ANY_STATUS})(,({ANY_STATUS}))*$"}


class IdsField(forms.Field):
    """Up to 100 ids, comma-separated. An empty list is refused: it would show all videos instead of none."""

    def to_python(self, value: Any) -> set[UUID] | None:
        if value is None:
            return None
        try:
            ids = {UUID(word) for word in value.split(",", MAX_LIMIT)}
        except ValueError:
            ids = set()
        if not ids or value.count(",") >= MAX_LIMIT:
            raise ValidationError(f"Must be a comma list of 1 to {MAX_LIMIT} ids.")
        return ids


class IdsFilter(django_filters.Filter):
    field_class = IdsField
    schema: ClassVar = {"type": "string", "pattern": f"^{ID}(,{ID}){{0,{MAX_LIMIT - 1}}}$"}


class VideoFilter(GivenFilterSet):
    ids = IdsFilter(
        field_name="pk",
        lookup_expr="in",
        help_text=f"A comma list of up to 100 ids, for their status. For example `{VIDEO},{BATCH}`.",
    )
    status = StatusesFilter(
        method="in_statuses", help_text="A comma list of statuses. For example `queued,processing`."
    )
    batch_id = django_filters.UUIDFilter(
        field_name="batch_id", help_text=f"Those of this batch. For example `{BATCH}`."
    )
    avatar_id = django_filters.UUIDFilter(
        field_name="avatar_id", help_text=f"Those with this avatar. For example `{AVATAR}`."
    )
    created_after = InstantFilter(field_name="created_at", lookup_expr="gt", help_text="ISO 8601.")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt", help_text="ISO 8601.")
    is_test = StrictBooleanFilter(field_name="is_test", help_text="Those of test keys, or those that are paid for.")
    search = TextFilter(method="with_text", help_text="Words of the title or the script. For example `spring`.")

    class Meta:
        model = Video
        fields: list[str] = []

    def in_statuses(self, queryset: QuerySet[Any], name: str, value: set[str]) -> QuerySet[Any]:
        return queryset.filter(in_statuses(stored_statuses(value)))

    def with_text(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(Q(title__icontains=value) | Q(script__icontains=value))
