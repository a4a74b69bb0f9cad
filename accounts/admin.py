"""People and accounts, for staff."""

from django.contrib import admin

from accounts.models import (
    Account,
    ApiKey,
    AuditEntry,
    Delivery,
    DeliveryAttempt,
    IdempotencyRecord,
    Membership,
    Session,
    User,
    WebhookEndpoint,
)
from genvid.admin import ReadOnlyAdmin, ReadOnlyInline, RoomAdmin


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = ("user", "account", "role", "created_at")


@admin.register(User)
class UserAdmin(RoomAdmin):
    list_display = (
        "email",
        "full_name",
        "company_name",
        "email_verified_at",
        "is_active",
        "is_staff",
        "created_at",
    )
    list_filter = ("is_active", "is_staff", "created_at")
    search_fields = ("email", "full_name", "company_name", "id")
    fields = (
        ("email", "email_verified_at"),
        ("full_name", "company_name"),
        ("preferred_language", "email_notifications"),
        ("is_active", "is_staff", "is_superuser"),
        ("created_at", "last_login"),
    )
    readonly_fields = ("email", "created_at", "last_login")
    inlines = (MembershipInline,)

    def has_add_permission(self, request: object) -> bool:
        """People register; `manage.py createsuperuser` makes staff."""
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Account)
class AccountAdmin(RoomAdmin):
    list_display = ("name", "id", "created_at")
    search_fields = ("name", "id", "members__email")
    readonly_fields = ("id", "created_at")
    inlines = (MembershipInline,)

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "account", "role", "created_at")
    list_filter = ("role",)
    search_fields = ("user__email", "account__name")
    list_select_related = ("user", "account")


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = (
        "user",
        "account",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
        "revoked_reason",
    )
    list_filter = ("revoked_reason", "created_at")
    search_fields = ("user__email",)
    list_select_related = ("user", "account")
    exclude = ("jti",)


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyAdmin):
    list_display = ("key", "account", "status", "created_at")
    search_fields = ("key", "account__name")
    list_select_related = ("account",)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("name", "prefix", "account", "created_by", "last_used_at", "expires_at", "revoked_at", "created_at")
    list_filter = ("revoked_at", "created_at")
    search_fields = ("name", "prefix", "account__name", "created_by__email")
    list_select_related = ("account", "created_by")
    exclude = ("digest",)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = ("url", "account", "enabled", "disabled_reason", "health", "failing_since", "created_at")
    list_filter = ("enabled", "disabled_reason", "health")
    search_fields = ("url", "account__name", "id")
    list_select_related = ("account",)
    exclude = ("secret", "old_secret")


class AttemptInline(ReadOnlyInline):
    model = DeliveryAttempt
    fields = ("number", "started_at", "duration_ms", "status_code", "response_excerpt", "error")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event", "endpoint", "status", "attempts_made", "next_attempt_at", "created_at")
    list_filter = ("status", "event__type", "created_at")
    search_fields = ("event__id", "event__object_id", "endpoint__url")
    list_select_related = ("event", "endpoint")
    inlines = (AttemptInline,)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "act", "account", "user", "api_key", "address")
    list_filter = ("act", "created_at")
    search_fields = ("account__name", "user__email", "address", "request_id")
    list_select_related = ("account", "user", "api_key")
