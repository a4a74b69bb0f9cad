"""Admin pages of avatars and voices: HeyGen's facts are read-only, curation is not."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action

from avatars import jobs
from avatars.admin.release_pages import ReleaseAdmin
from avatars.models import Avatar, Voice
from genvid.jobs import enqueue
from genvid.panels import register_reference

register_reference("avatar", "admin:avatars_avatar_change")
register_reference("voice", "admin:avatars_voice_change")


class CatalogueAdmin(ReleaseAdmin):
    actions_list = ("sync_now",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @action(description="Sync with HeyGen now")  # type: ignore[untyped-decorator]
    def sync_now(self, request: HttpRequest) -> HttpResponseRedirect:
        enqueue(jobs.SYNC)
        messages.success(request, "The catalogue is being synced.")
        return HttpResponseRedirect(reverse("admin:avatars_avatar_changelist"))


@admin.register(Avatar)
class AvatarAdmin(CatalogueAdmin):
    list_display = (
        "preview",
        "name",
        "kind",
        "gender",
        "is_available",
        "is_released",
        "is_private",
        "account",
        "is_hidden",
        "is_premium",
    )
    list_select_related = ("account",)
    list_display_links = ("preview", "name")
    list_editable = ("is_hidden", "is_premium")
    list_filter = (
        *("kind", "gender", "is_own", "is_available", "is_released", "is_private", "is_hidden", "is_premium"),
    )
    search_fields = ("name", "provider_id", "id", "account__name")
    fields = (
        ("name", "kind", "gender"),
        ("is_available", "is_hidden", "is_premium"),
        ("is_private", "is_released", "account"),
        ("is_own", "status", "is_test"),
        ("default_voice", "engines", "orientation", "tags"),
        ("provider_id", "id"),
        ("preview_image_url", "preview_video_url"),
        ("created_at", "updated_at"),
    )
    readonly_fields = (
        *("name", "kind", "gender", "is_available", "default_voice", "engines", "orientation", "tags"),
        *("is_private", "is_released", "account", "is_own", "status", "is_test"),
        *("provider_id", "id", "preview_image_url", "preview_video_url", "created_at", "updated_at"),
    )

    @admin.display(description="")
    def preview(self, avatar: Avatar) -> SafeString | str:
        if not avatar.preview_image_url:
            return "—"
        return format_html('<img src="{}" alt="" height="48" loading="lazy">', avatar.preview_image_url)


@admin.register(Voice)
class VoiceAdmin(CatalogueAdmin):
    list_display = (
        *("name", "language", "gender", "is_available", "is_released", "is_private", "account", "is_hidden"),
    )
    list_select_related = ("account",)
    list_editable = ("is_hidden",)
    list_filter = ("language", "gender", "is_own", "is_available", "is_released", "is_private", "is_hidden")
    search_fields = ("name", "provider_id", "id", "account__name")
    readonly_fields = (
        *("id", "provider_id", "name", "gender", "language", "preview_audio_url", "supports_pause"),
        *("supports_locale", "is_available", "is_private", "is_released", "account", "is_own", "status", "is_test"),
        *("created_at", "updated_at"),
    )
