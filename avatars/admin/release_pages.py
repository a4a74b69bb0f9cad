"""Admin pages on which staff release catalogue rows to clients."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Account
from avatars import releases
from avatars.models import CatalogueEntry
from genvid.admin import AppAdmin
from genvid.confirmation import is_confirmed, render_confirmation
from genvid.errors import DomainError

RELEASE = "Release"
RELEASE_WARNING = (
    "Clients may make videos with it. Of a real person's face or voice that is for those whom the person has allowed "
    "it. An avatar's own voice is released by itself."
)
WITHDRAW = "Take back"
WITHDRAW_WARNING = "Clients no longer see it. Videos that exist stay; those that wait in the queue wait for staff."


class ReleaseForm(forms.Form):
    audience = forms.ChoiceField(
        label="For whom",
        choices=[("account", "One account"), ("all", "All accounts")],
        widget=UnfoldAdminSelectWidget,
    )
    account_id = forms.UUIDField(
        label="The id of the account, where it is for one", required=False, widget=UnfoldAdminTextInputWidget
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        account_id = given.get("account_id")
        if given.get("audience") == "account" and account_id is None and "account_id" not in self.errors:
            self.add_error("account_id", "Name the account.")
        if given.get("audience") == "all" and account_id is not None:
            self.add_error("account_id", "Leave it empty: it would be for all accounts.")
        if given.get("audience") == "account" and account_id is not None:
            given["account"] = Account.objects.filter(pk=account_id).first()
            if given["account"] is None:
                self.add_error("account_id", "There is no such account.")
        return given


class ReleaseAdmin(AppAdmin):
    actions_detail = ("release_entry", "withdraw_entry")

    def has_release_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(self.has_change_permission(request))

    @action(description=RELEASE, permissions=["release"])  # type: ignore[untyped-decorator]
    def release_entry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        entry = get_object_or_404(self.model, pk=object_id)
        form = ReleaseForm(request.POST) if is_confirmed(request) else ReleaseForm()
        if not (is_confirmed(request) and form.is_valid()):
            return render_confirmation(
                self, request, title=RELEASE, warning=RELEASE_WARNING, form=form, things=[entry.name]
            )
        try:
            releases.release(entry, account=form.cleaned_data.get("account"), staff_id=staff_id_of(request))
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self._report(request, entry, f"Released to {entry.account or releases.ALL_ACCOUNTS}.")
        return self._back_to(entry)

    @action(description=WITHDRAW, permissions=["release"])  # type: ignore[untyped-decorator]
    def withdraw_entry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        entry = get_object_or_404(self.model, pk=object_id)
        if not is_confirmed(request):
            return render_confirmation(
                self, request, title=WITHDRAW, warning=WITHDRAW_WARNING, form=forms.Form(), things=[entry.name]
            )
        releases.withdraw_release(entry, staff_id=staff_id_of(request))
        self._report(request, entry, "Taken back.")
        return self._back_to(entry)

    def _report(self, request: HttpRequest, entry: CatalogueEntry, what: str) -> None:
        self.log_change(request, entry, what)
        self.message_user(request, f"{entry.name}: {what}", messages.SUCCESS)

    def _back_to(self, entry: CatalogueEntry) -> HttpResponse:
        return redirect(f"admin:avatars_{entry._meta.model_name}_change", entry.pk)


def staff_id_of(request: HttpRequest) -> UUID:
    return UUID(str(request.user.pk))
