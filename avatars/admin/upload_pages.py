"""Admin page of uploads. The files themselves are not shown: they are strangers'."""

from django.contrib import admin

from avatars.models import Upload
from genvid.admin import ReadOnlyAdmin


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    list_display = (
        *("filename", "kind", "status", "account", "bytes", "duration_seconds", "origin", "is_test"),
        *("created_at", "expires_at", "deleted_at"),
    )
    list_display_links = ("filename",)
    list_select_related = ("account",)
    list_filter = ("kind", "status", "origin", "is_test")
    search_fields = ("id", "filename", "account__name", "provider_asset_id", "sha256")
    ordering = ("-created_at",)
    fields = (
        ("filename", "kind", "content_type", "status"),
        ("account", "created_by", "api_key", "is_test", "origin"),
        ("bytes", "width", "height", "duration_seconds"),
        "notes",
        "refusal",
        ("sha256", "id"),
        ("provider_asset_id", "tries", "waiting_reason", "due_at"),
        ("created_at", "expires_at", "deleted_at"),
    )
