"""Admin page of uploads, which staff may delete. The files themselves are not shown: they are strangers'."""

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from avatars.admin.release_pages import staff_id_of
from avatars.models import Upload
from avatars.uploads import removal
from genvid.admin import ReadOnlyAdmin
from genvid.confirmation import is_confirmed, render_confirmation
from genvid.errors import DomainError, NotFound

DELETE = "Delete"
WARNING = "The file is removed here and at HeyGen soon after, for good. One that something is made with is not deleted."
GONE = "It was deleted before."


class DeletionForm(forms.Form):
    reason = forms.CharField(
        label="The reason, as the customer will read it in the audit log",
        max_length=500,
        widget=UnfoldAdminTextareaWidget,
    )


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
    actions_detail = ("delete_upload",)
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

    def has_remove_permission(self, request: HttpRequest, obj: object = None) -> bool:
        allowed: bool = request.user.has_perm("avatars.delete_upload")
        return allowed

    @action(description=DELETE, permissions=["remove"])  # type: ignore[untyped-decorator]
    def delete_upload(self, request: HttpRequest, object_id: str) -> HttpResponse:
        upload = get_object_or_404(Upload, pk=object_id)
        form = DeletionForm(request.POST) if is_confirmed(request) else DeletionForm()
        if not (is_confirmed(request) and form.is_valid()):
            things = [f"{upload} of {upload.account}"]
            return render_confirmation(self, request, title=DELETE, warning=WARNING, form=form, things=things)
        self._delete(request, upload, form.cleaned_data["reason"])
        return redirect("admin:avatars_upload_change", object_id)

    def _delete(self, request: HttpRequest, upload: Upload, reason: str) -> None:
        try:
            removal.delete_by_staff(upload, reason=reason, staff_id=staff_id_of(request))
        except NotFound:
            self.message_user(request, GONE, messages.ERROR)
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.log_change(request, upload, f"Deleted: {reason}")
            self.message_user(request, "Deleted.", messages.SUCCESS)
