"""What the rooms' admin pages share: rows that came from outside, or that are money or history, are never edited."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline


class ReadOnlyMixin:
    """Look, do not touch."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class RoomAdmin(ModelAdmin):
    """The staff pages' base: no totals over large tables, links instead of endless select boxes."""

    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True


class ReadOnlyAdmin(ReadOnlyMixin, RoomAdmin):
    pass


class ReadOnlyInline(ReadOnlyMixin, TabularInline):
    extra = 0
    can_delete = False
    show_change_link = False
