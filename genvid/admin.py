"""Base classes of the apps' admin pages: rows from outside, money and history are read-only."""

from typing import Any

from django.conf import settings
from django.db.models import Field, Model, URLField
from django.http import HttpRequest
from django.urls import URLPattern
from unfold.admin import ModelAdmin, TabularInline
from unfold.sites import UnfoldAdminSite

from genvid import staff_home
from genvid.admin_lists import EstimatingPaginator, ExactSearch
from genvid.staff_changes import record_changed


class StaffSite(UnfoldAdminSite):
    login_template = "genvid/staff_login.html"
    index_template = "genvid/home/index.html"

    def extra_urls(self) -> list[URLPattern]:
        return staff_home.urls(self)

    def has_permission(self, request: HttpRequest) -> bool:
        # django-otp's middleware checks at each request that the authenticator still exists.
        verified = not settings.REQUIRE_STAFF_TOTP or request.user.is_verified()  # type: ignore[union-attr]
        return bool(super().has_permission(request)) and verified


class ReadOnlyMixin:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class AppAdmin(ExactSearch, ModelAdmin):
    paginator = EstimatingPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        record_changed.send(type(obj), request=request, row=obj, action="added", fields=())
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        # A form's message is a list; a text comes from an action, whose service writes its own audit entry.
        if isinstance(message, list):
            record_changed.send(type(obj), request=request, row=obj, action="changed", fields=_fields_of(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            record_changed.send(type(row), request=request, row=row, action="removed", fields=())
        return super().log_deletions(request, queryset)

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, URLField):
            kwargs.setdefault("assume_scheme", "https")
        return super().formfield_for_dbfield(db_field, request, **kwargs)


def _fields_of(message: list[Any]) -> tuple[str, ...]:
    parts = [part for each in message for part in each.values()]
    return tuple(str(name) for part in parts for name in part.get("fields", ()))


class ReadOnlyAdmin(ReadOnlyMixin, AppAdmin):
    pass


class ReadOnlyInline(ReadOnlyMixin, TabularInline):
    extra = 0
    can_delete = False
    show_change_link = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All fields: Django would otherwise build form fields for rows that cannot be edited."""
        return self.fields or ()
