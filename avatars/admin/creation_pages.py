"""Admin pages of own avatars and voices: the review queue, the consent, and the history. Read-only but for reviews."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from avatars.admin.release_pages import staff_id_of
from avatars.models import Creation, CreationEvent
from avatars.own import consent_texts, review
from genvid.admin import ReadOnlyAdmin, ReadOnlyInline
from genvid.confirmation import is_confirmed, render_confirmation
from genvid.errors import DomainError

APPROVE = "Approve"
APPROVE_WARNING = "HeyGen will copy this face or voice. Look at the file, and at who has agreed to what."
REFUSE = "Refuse"
REFUSE_WARNING = "The customer gets the credits back and reads your reason."
PREVIEWED = ("image", "audio", "video")
SANDBOX = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"


class RefusalForm(forms.Form):
    reason = forms.CharField(
        label="The reason, as the customer will read it", max_length=500, widget=UnfoldAdminTextareaWidget
    )


class CreationEventInline(ReadOnlyInline):
    model = CreationEvent
    fields = ("created_at", "from_status", "to_status", "reason", "detail")
    readonly_fields = fields


@admin.register(Creation)
class CreationAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "status", "account", "is_me", "subject_name", "is_test", "created_at", "moved_at")
    list_display_links = ("name",)
    list_filter = ("status", "kind", "is_me", "is_test")
    search_fields = ("id", "avatar__id", "voice__id", "provider_object_id", "account__name")
    ordering = ("-created_at",)
    inlines = (CreationEventInline,)
    actions_detail = ("approve_creation", "refuse_creation")
    fields = (
        ("name", "kind", "status"),
        ("account", "created_by", "is_test"),
        "file",
        ("is_me", "subject_name"),
        ("consent_at", "consent_address", "consent_user_agent"),
        ("consent_version", "consent_language", "consent_confirmed_at"),
        "consent_text",
        ("credits_held", "credits_charged", "provider_microdollars"),
        ("error_code", "error_message"),
        ("provider_error", "waiting_reason"),
        ("provider_object_id", "provider_group_id", "attempt"),
        ("due_at", "deadline_at", "tries"),
        ("created_at", "moved_at", "ready_at", "deleted_at", "removed_at"),
        "id",
    )
    readonly_fields = ("name", "file", "consent_text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("account", "avatar", "voice", "upload")

    def get_urls(self) -> list[URLPattern]:
        shown = path("<uuid:object_id>/file/", self.admin_site.admin_view(self.show_file), name="avatars_creation_file")
        return [shown, *super().get_urls()]

    def has_review_permission(self, request: HttpRequest, obj: object = None) -> bool:
        allowed: bool = request.user.has_perm("avatars.change_creation")
        return allowed

    @admin.display(description="Name")
    def name(self, creation: Creation) -> str:
        return creation.entry.name

    @admin.display(description="What the customer has confirmed")
    def consent_text(self, creation: Creation) -> str:
        return consent_texts.text_of(creation.consent_version, creation.consent_language)

    @admin.display(description="File")
    def file(self, creation: Creation) -> SafeString | str:
        upload = creation.upload
        if not upload.file or upload.deleted_at is not None:
            return "Removed."
        address = reverse("admin:avatars_creation_file", args=[creation.pk])
        if upload.kind == "image":
            return format_html('<a href="{0}"><img src="{0}" alt="" height="240"></a>', address)
        return format_html('<a href="{}">{} ({})</a>', address, upload.filename or upload.kind, upload.content_type)

    def show_file(self, request: HttpRequest, object_id: UUID) -> HttpResponseBase:
        """For staff who may see the page, alone; in a sandbox, since a customer has brought it."""
        if not self.has_view_permission(request):
            raise Http404
        upload = get_object_or_404(Creation.objects.select_related("upload"), pk=object_id).upload
        if not upload.file or upload.deleted_at is not None or upload.kind not in PREVIEWED:
            raise Http404
        stored = default_storage.open(str(upload.file.name), "rb")
        answer = FileResponse(stored, content_type=upload.content_type or "application/octet-stream")
        answer["Content-Security-Policy"] = SANDBOX
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Cache-Control"] = "private, no-store"
        answer["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(upload.filename or 'file')}"
        return answer

    @action(description=APPROVE, permissions=["review"])  # type: ignore[untyped-decorator]
    def approve_creation(self, request: HttpRequest, object_id: str) -> HttpResponse:
        creation = self._creation(object_id)
        if not is_confirmed(request):
            return self._confirm(request, creation, APPROVE, APPROVE_WARNING, forms.Form())
        try:
            review.approve(creation, staff_id=staff_id_of(request))
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self._report(request, creation, "Approved.")
        return redirect("admin:avatars_creation_change", object_id)

    @action(description=REFUSE, permissions=["review"])  # type: ignore[untyped-decorator]
    def refuse_creation(self, request: HttpRequest, object_id: str) -> HttpResponse:
        creation = self._creation(object_id)
        form = RefusalForm(request.POST) if is_confirmed(request) else RefusalForm()
        if not (is_confirmed(request) and form.is_valid()):
            return self._confirm(request, creation, REFUSE, REFUSE_WARNING, form)
        try:
            review.refuse(creation, reason=form.cleaned_data["reason"], staff_id=staff_id_of(request))
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self._report(request, creation, f"Refused: {form.cleaned_data['reason']}")
        return redirect("admin:avatars_creation_change", object_id)

    def _creation(self, object_id: str) -> Creation:
        found: Creation = get_object_or_404(Creation.objects.select_related("avatar", "voice"), pk=object_id)
        return found

    def _confirm(
        self, request: HttpRequest, creation: Creation, title: str, warning: str, form: forms.Form
    ) -> HttpResponse:
        return render_confirmation(self, request, title=title, warning=warning, form=form, things=[creation.entry.name])

    def _report(self, request: HttpRequest, creation: Creation, what: str) -> None:
        self.log_change(request, creation, what)
        self.message_user(request, what, messages.SUCCESS)
