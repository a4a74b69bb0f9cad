"""Admin pages of videos, batches and HeyGen: read-only, with timeline, file and staff actions."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action

from genvid.admin import ReadOnlyAdmin
from genvid.admin_lists import newest_values
from genvid.media_links import signed_link
from genvid.panels import PanelAdmin, coloured, link_reference, linked
from videos.admin.staff_action_pages import OperatedAdmin, StaffActionAdmin
from videos.admin.video_panels import BY_COLOUR, first_words
from videos.admin.video_search import search_videos
from videos.enums import TERMINAL, Status
from videos.models import (
    Batch,
    ProviderBalance,
    ProviderOutage,
    ProviderState,
    ProviderWebhook,
    RenderTime,
    Video,
    VideoEvent,
    WebhookDelivery,
)
from videos.provider import provider_gate
from videos.querysets import VideoQuerySet, in_statuses
from videos.queue import waiting_reasons
from videos.staff import staff_actions
from videos.staff.action_forms import is_confirmed, render_confirmation
from videos.video_request import NAMES

MOST_WAITING = 100_000
"""More than ever wait: a list of fewer would not begin with the newest."""


class StatusFilter(admin.ChoicesFieldListFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        given = set(self.lookup_val or ())
        if not given or given & TERMINAL or Status.DRAFT in given:
            found = queryset.filter(in_statuses(given)) if given else queryset
            return super().queryset(request, found)
        # A bound keeps PostgreSQL from looking for the few that wait among all, from the newest on. A second condition
        # on the status would have it expect one row, and read whole tables for each that it joins.
        waiting = Video.objects.filter(in_statuses(given)).order_by().values("pk")[:MOST_WAITING]
        return queryset.filter(pk__in=waiting)


class SetAsideFilter(admin.EmptyFieldListFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        # Only a queued video is set aside, and those are found by an index.
        queued = queryset.filter(in_statuses({Status.QUEUED})) if self.lookup_val == "0" else queryset
        return super().queryset(request, queued)


def _folded(title: str, *fields: str) -> tuple[str, dict[str, Any]]:
    return title, {"fields": fields, "classes": ("collapse",)}


@admin.register(Video)
class VideoAdmin(PanelAdmin, StaffActionAdmin):
    list_display = (
        *("created_at", "state", "words", "account_link", "avatar_link", "duration_seconds", "credits_charged"),
        *("waits_because", "error_code"),
    )
    account_link, avatar_link = linked("account", description="customer"), linked("avatar")
    state = coloured("status", BY_COLOUR)
    list_filter = (
        ("status", StatusFilter),
        ("set_aside_at", SetAsideFilter),
        "is_test",
        newest_values("error_code", "-created_at", "-id"),
        "created_at",
        newest_values("engine", "-created_at", "-id"),
        "format",
    )
    search_fields = ("id", "title", "account__name", "provider_video_id", "created_by__email", "request_id")
    list_select_related = ("account", "avatar")
    search_help_text = (
        "Id, HeyGen's id, request id, account id, e-mail, part of a title, a company's name or a script's beginning"
    )
    fieldsets = (
        (None, {"fields": ("player", "id", "status", "account", "created_by", "waits_because", "set_aside_at",
                           "gate_tripped_at", "stuck_at")}),
        _folded("Asked for", *(name.removesuffix("_id") for name in NAMES), "retry_of", "request_id"),
        _folded("Money and time", "credits_held", "credits_charged", "estimated_seconds", "duration_seconds",
                "created_at", "queued_at", "submitted_at", "rendered_at", "completed_at"),
        _folded("HeyGen", "engine", "provider_video_id", "attempt", "calls", "idempotency_key", "tries", "due_at",
                "deadline_at", "error_code", "error_message", "provider_error"),
        _folded("File", "file", "file_bytes", "file_sha256", "thumbnail", "subtitles"),
    )  # fmt: skip
    readonly_fields = ("player", "waits_because")

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist: ChangeList = super().get_changelist_instance(request)
        found = waiting_reasons.reasons(changelist.result_list)
        for video in changelist.result_list:
            video.waits_because = found[video.pk]
        return changelist

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        term = search_term.strip()
        return (search_videos(cast(VideoQuerySet, queryset), term) if term else queryset), False

    @admin.display(description="Title and script", ordering="title")
    def words(self, video: Video) -> str:
        said = first_words(video.script)
        return f"{video.title}: {said}" if video.title else said

    @admin.display(description="Waiting reason")
    def waits_because(self, video: Video) -> str:
        known: str | None = getattr(video, "waits_because", None)
        return waiting_reasons.reasons([video])[video.pk] if known is None else known

    @admin.display(description="Video")
    def player(self, video: Video) -> SafeString | str:
        if not video.file:
            return "No file yet."
        poster = signed_link(str(video.thumbnail)) if video.thumbnail else ""
        return format_html(
            '<video src="{}" poster="{}" controls preload="none" style="max-width:480px;max-height:480px"></video>',
            signed_link(str(video.file)),
            poster,
        )


@admin.register(VideoEvent)
class VideoEventAdmin(ReadOnlyAdmin):
    ordering = ("-id",)
    list_display = ("created_at", "video_link", "from_status", "state", "reason", "detail")
    video_link, state = linked("video"), coloured("to_status", BY_COLOUR)
    list_select_related = ("video",)
    list_filter = (newest_values("to_status", "-id"), newest_values("reason", "-id"), "created_at")
    search_fields = ("video__id", "reason", "detail")


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "words", "account_link", "total", "open", "credits_quoted", "completed_at", "canceled_at"),
    )
    account_link = linked("account", description="customer")
    list_filter = ("created_at", "completed_at")
    search_fields = ("id", "title", "account__name")
    list_select_related = ("account",)

    @admin.display(description="Title and script", ordering="title")
    def words(self, batch: Batch) -> str:
        said = first_words(batch.script)
        return f"{batch.title}: {said}" if batch.title else said


@admin.register(RenderTime)
class RenderTimeAdmin(ReadOnlyAdmin):
    list_display = ("engine", "longest", "samples", "p05", "p50", "p90", "p99", "updated_at")
    list_filter = ("engine",)
    search_fields = ("engine",)


@admin.register(ProviderState)
class ProviderStateAdmin(OperatedAdmin):
    list_display = (
        *("name", "status_text", "code", "message", "needs_staff_since", "until_rendered", "closed_until", "closings"),
        *("paused_at", "paused_by", "learned_limit", "changed_at"),
    )
    list_filter = ("needs_staff",)
    search_fields = ("name", "code")
    actions = ("open_gate",)
    actions_list = ("pause_provider", "resume_provider", "reopen_provider", "end_overdue_videos")

    @action(description="Open the gate now", permissions=["operate"])  # type: ignore[untyped-decorator]
    def open_gate(self, request: HttpRequest, queryset: object) -> None:
        provider_gate.reopen(request.user.get_username(), staff_id=UUID(str(request.user.pk)))
        for state in ProviderState.objects.all():
            self.log_change(request, state, "Opened the gate.")

    @action(description="Pause orders", permissions=["operate"])  # type: ignore[untyped-decorator]
    def pause_provider(self, request: HttpRequest) -> HttpResponse:
        warning = "No new orders go to HeyGen until somebody resumes. Videos wait, uncharged; what HeyGen has goes on."
        return self._after_asking(request, "Pause orders", warning, provider_gate.pause)

    @action(description="Resume orders", permissions=["operate"])  # type: ignore[untyped-decorator]
    def resume_provider(self, request: HttpRequest) -> HttpResponse:
        warning = "Waiting videos are ordered again. A gate that HeyGen's own answers closed stays closed."
        return self._after_asking(request, "Resume orders", warning, provider_gate.resume)

    @action(description="Reopen the gate", permissions=["operate"])  # type: ignore[untyped-decorator]
    def reopen_provider(self, request: HttpRequest) -> HttpResponse:
        warning = "Orders go out again at once. If HeyGen still refuses them, its answers shut the gate anew."
        return self._after_asking(request, "Reopen the gate", warning, provider_gate.reopen)

    @action(description="End overdue videos", permissions=["operate"])  # type: ignore[untyped-decorator]
    def end_overdue_videos(self, request: HttpRequest) -> HttpResponse:
        count = Video.objects.overdue().count()
        warning = (
            f"{count} videos are past the deadline of their status. HeyGen is asked about each; those that it has not "
            "finished fail, and their credits go back. Make sure that all clocks are right."
        )
        return self._after_asking(request, "End overdue videos", warning, staff_actions.end_overdue_videos)

    def _after_asking(
        self, request: HttpRequest, title: str, warning: str, change: Callable[..., object]
    ) -> HttpResponse:
        if not is_confirmed(request):
            return render_confirmation(self, request, title=title, warning=warning, form=forms.Form())
        change(request.user.get_username(), staff_id=UUID(str(request.user.pk)))
        state, _ = ProviderState.objects.get_or_create(name=provider_gate.NAME)
        self.log_change(request, state, f"{title}.")
        self.message_user(request, f"{title}: done.", messages.SUCCESS)
        return redirect("admin:videos_providerstate_changelist")


@admin.register(ProviderOutage)
class ProviderOutageAdmin(ReadOnlyAdmin):
    list_display = ("began_at", "ended_at")
    list_filter = ("is_over", "began_at")
    search_fields = ("began_at",)


@admin.register(ProviderBalance)
class ProviderBalanceAdmin(ReadOnlyAdmin):
    list_display = ("read_at", "remaining", "currency")
    list_filter = ("currency", "read_at")
    search_fields = ("currency",)


@admin.register(ProviderWebhook)
class ProviderWebhookAdmin(ReadOnlyAdmin):
    list_display = ("url", "endpoint_id", "created_at", "retired_at")
    list_filter = ("retired_at",)
    search_fields = ("url", "endpoint_id")
    exclude = ("secret",)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "event_type", "video", "provider_video_id", "processed_at", "outcome")
    list_filter = ("event_type", "outcome", "received_at")
    search_fields = ("key", "provider_video_id", "callback_id")

    @admin.display(description="Video")
    def video(self, delivery: WebhookDelivery) -> Any:
        return link_reference(f"video:{delivery.callback_id}") if delivery.callback_id else "-"
