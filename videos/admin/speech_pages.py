"""The admin page of speeches: read-only."""

from django.contrib import admin

from genvid.admin import ReadOnlyAdmin
from genvid.panels import linked
from videos.admin.video_panels import first_words
from videos.models import Speech


@admin.register(Speech)
class SpeechAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "words_of_script", "account_link", "status", "duration_seconds", "free_seconds"),
        *("credits_held", "credits_charged", "error_code", "waiting_reason", "is_test", "expires_at"),
    )
    account_link = linked("account", description="customer")
    list_filter = ("status", "is_test", "error_code", "created_at")
    search_fields = ("id", "account__name", "request_id")
    list_select_related = ("account",)

    @admin.display(description="script")
    def words_of_script(self, speech: Speech) -> str:
        return first_words(speech.script)
