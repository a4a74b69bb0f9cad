"""Admin pages of accounts, keys, webhooks, the audit log and personal data."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.confirmed_acts import offer
from accounts.admin.customer_acts import END_SESSION, END_SESSIONS, RESEND, REVOKE_KEY
from accounts.admin.people_pages import MembershipInline
from accounts.enums import Health
from accounts.models import (
    Account,
    ApiKey,
    AuditEntry,
    Delivery,
    DeliveryAttempt,
    Erasure,
    Export,
    IdempotencyRecord,
    Invitation,
    Membership,
    Session,
    StaffAct,
    User,
    WebhookEndpoint,
)
from accounts.privacy import erasures
from genvid.admin import ReadOnlyAdmin, ReadOnlyInline
from genvid.errors import DomainError
from genvid.panels import PanelAdmin, coloured, linked
from genvid.staff_filters import state_filter


@admin.register(Account)
class AccountAdmin(PanelAdmin):
    """The customer's page: other apps add their panels to it."""

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
    list_display = ("__str__", "user_link", "account_link", "role", "created_at")
    list_display_links = ("__str__",)
    user_link, account_link = linked("user"), linked("account", description="customer")
    list_filter = ("role",)
    search_fields = ("user__email", "account__name")
    list_select_related = ("user", "account")


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "user_link", "account_link", "last_used_at", "expires_at", "revoked_at"),
        "revoked_reason",
    )
    user_link, account_link = linked("user"), linked("account", description="customer")
    list_filter = ("revoked_reason", "created_at")
    search_fields = ("user__email",)
    list_select_related = ("user", "account")
    exclude = ("jti", "previous_jti")


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyAdmin):
    list_display = ("key", "account_link", "status", "created_at")
    account_link = linked("account", description="customer")
    search_fields = ("key", "account__name")
    list_select_related = ("account",)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = (
        *("name", "prefix", "account_link", "creator", "last_used_at", "expires_at", "revoked_at", "created_at"),
    )
    account_link, creator = linked("account", description="customer"), linked("created_by")
    list_filter = ("revoked_at", "created_at")
    search_fields = ("name", "prefix", "account__name", "created_by__email")
    list_select_related = ("account", "created_by")
    exclude = ("digest",)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = ("url", "account_link", "enabled", "disabled_reason", "state", "failing_since", "created_at")
    account_link = linked("account", description="customer")
    state = coloured("health", {"success": [Health.GOOD], "danger": [Health.POOR]})
    list_filter = (
        state_filter({"failing": ("Failing", lambda rows: rows.failing())}),
        *("enabled", "disabled_reason", "health"),
    )
    search_fields = ("url", "account__name", "id")
    list_select_related = ("account",)
    exclude = ("secret", "old_secret")


class AttemptInline(ReadOnlyInline):
    model = DeliveryAttempt
    fields = ("number", "started_at", "duration_ms", "status_code", "response_excerpt", "error")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event", "endpoint_link", "state", "attempts_made", "next_attempt_at", "created_at")
    endpoint_link = linked("endpoint")
    state = coloured("status", {"success": ["delivered"], "info": ["pending"], "danger": ["failed"]})
    list_filter = ("status", "event__type", "created_at")
    search_fields = ("event__id", "event__object_id", "endpoint__url")
    list_select_related = ("event", "endpoint")
    inlines = (AttemptInline,)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "act", "account_link", "user_link", "key_link", "by_staff", "address")
    account_link, user_link = linked("account", description="customer"), linked("user")
    key_link = linked("api_key", description="API key")
    list_filter = ("act", "by_staff", "created_at")
    search_fields = ("account__name", "user__email", "address", "request_id")
    list_select_related = ("account", "user", "api_key")


@admin.register(StaffAct)
class StaffActAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "act", "user_link", "account_link", "what", "address")
    account_link, user_link = linked("account", description="customer"), linked("user", description="who")
    list_filter = ("act", "created_at")
    search_fields = ("account__name", "user__email", "address", "request_id")
    list_select_related = ("account", "user")

    @admin.display(description="what")
    def what(self, entry: StaffAct) -> str:
        return ", ".join(f"{name}: {value}" for name, value in entry.detail.items())[:300]


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "user_link", "state", "bytes", "ready_at", "expires_at", "tries", "waiting_reason")
    user_link = linked("user")
    state = coloured("status", {"success": ["ready"], "info": ["pending"], "danger": ["failed"]})
    list_filter = ("status", "created_at")
    search_fields = ("id", "user__email")
    list_select_related = ("user",)


class ErasureForm(forms.ModelForm[Erasure]):
    class Meta:
        model = Erasure
        fields = ("user",)

    def clean_user(self) -> User:
        user: User = self.cleaned_data["user"]
        try:
            erasures.check_may_be_erased(user)
        except DomainError as error:
            raise forms.ValidationError(error.message) from None
        return user


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    """Adding a row starts an erasure; rows cannot be changed or deleted."""

    form = ErasureForm
    list_display = (
        *("created_at", "user_link", "state", "erase_after", "waiting_reason", "erased_at", "withdrawn_at"),
        "requester",
    )
    user_link, requester = linked("user"), linked("requested_by")
    state = coloured("status", {"success": ["done"], "info": ["waiting"], "warning": ["erasing"]})
    list_filter = ("status", "created_at")
    search_fields = ("id", "user__email")
    list_select_related = ("user", "requested_by")
    raw_id_fields = ("user",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(admin.ModelAdmin.has_add_permission(self, request))

    def save_model(self, request: HttpRequest, obj: Erasure, form: Any, change: bool) -> None:
        started = erasures.start_erasure(obj.user_id, by=UUID(str(request.user.pk)))
        # Django continues with the row that the service has created.
        obj.pk = started.pk
        obj.refresh_from_db()


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("email", "account_link", "role", "inviter", "sent_at", "expires_at")
    account_link, inviter = linked("account", description="customer"), linked("invited_by")
    list_filter = ("role", "created_at")
    search_fields = ("email", "account__name")
    list_select_related = ("account", "invited_by")


offer(AccountAdmin, END_SESSIONS)
offer(SessionAdmin, END_SESSION)
offer(ApiKeyAdmin, REVOKE_KEY)
offer(DeliveryAdmin, RESEND)
