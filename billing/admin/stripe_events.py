"""Admin pages of received Stripe events, without bodies and headers, which hold personal data."""

from typing import Any

from django.apps import apps
from django.contrib import admin

from genvid.admin import ReadOnlyAdmin


@admin.register(apps.get_model("djstripe", "Event"))
class EventAdmin(ReadOnlyAdmin):
    list_display = ("created", "type", "about", "id", "livemode")
    list_filter = ("type", "created")
    search_fields = ("id", "type")
    fields = ("id", "type", "about", "created", "djstripe_created", "livemode", "api_version", "request_id")
    ordering = ("-djstripe_id",)

    @admin.display(description="About")
    def about(self, event: Any) -> str:
        return str(event.data.get("object", {}).get("id", ""))


@admin.register(apps.get_model("djstripe", "WebhookEventTrigger"))
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created", "valid", "processed", "exception", "event")
    list_filter = ("valid", "processed", "created")
    search_fields = ("event__id", "exception")
    list_select_related = ("event",)
    fields = ("created", "valid", "processed", "event", "webhook_endpoint", "exception", "traceback")
    ordering = ("-id",)
