"""Admin pages of users and groups. Only superusers see and change permissions (`accounts.auth.staff_access`)."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest

from accounts.auth import email_verification, staff_access
from accounts.models import Membership, User
from genvid.admin import AppAdmin, ReadOnlyInline

ACCESS_BEFORE = "_access_before"


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = ("user", "account", "role", "created_at")


class AccessAdmin(AppAdmin):
    # Django's pages of a form, and that of a removal, are each one transaction.
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        stored = type(obj).objects.filter(pk=obj.pk).first() if change else None
        setattr(request, ACCESS_BEFORE, staff_access.access_of(stored) if stored else {})
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        before, after = getattr(request, ACCESS_BEFORE), staff_access.access_of(form.instance)
        staff_access.record_access_change(request.user, form.instance, before=before, after=after)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        staff_access.record_access_change(request.user, obj, before=staff_access.access_of(obj), after={})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        with transaction.atomic():
            for row in queryset:
                staff_access.record_access_change(request.user, row, before=staff_access.access_of(row), after={})
            super().delete_queryset(request, queryset)


@admin.register(User)
class UserAdmin(AccessAdmin):
    list_filter = ("is_active", "created_at")
    search_fields = ("email", "full_name", "company_name", "id")
    readonly_fields = ("email", "created_at", "last_login")
    filter_horizontal = ("groups", "user_permissions")
    inlines = (MembershipInline,)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Setting `email_verified_at` here has the effects of a verification by mail."""
        super().save_related(request, form, formsets, change)
        email_verification.forget_verifications()
        was_unverified = getattr(request, ACCESS_BEFORE).get("email_verified_at") == str(None)
        if was_unverified and form.instance.email_verified:
            email_verification.send_mailbox_verified(form.instance.pk, form.instance.email)

    def get_list_display(self, request: HttpRequest) -> Sequence[str]:
        access = ("email_verified_at", "is_staff", "is_superuser") if _is_superuser(request) else ()
        return ("email", "full_name", "company_name", *access, "is_active", "created_at")

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        access = ("is_staff", "is_superuser") if _is_superuser(request) else ()
        return (*access, *self.list_filter)

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        person = (("full_name", "company_name"), ("preferred_language", "email_notifications"))
        access = staff_access.ACCESS_FIELDS if _is_superuser(request) else ()
        return ("email", *person, "is_active", *access, ("created_at", "last_login"))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Filters in the URL must not reveal hidden fields."""
        hidden = lookup.startswith(staff_access.ACCESS_FIELDS) and not _is_superuser(request)
        return not hidden and super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and staff_access.may_edit(request.user, obj)

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


class GroupAdmin(AccessAdmin):
    """For superusers only: whoever changes a group could give themselves any permission."""

    search_fields = ("name",)
    ordering = ("name",)
    filter_horizontal = ("permissions",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


# Replace Django's own page of groups.
if admin.site.is_registered(Group):
    admin.site.unregister(Group)
admin.site.register(Group, GroupAdmin)
