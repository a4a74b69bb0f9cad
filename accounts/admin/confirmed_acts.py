"""Acts of staff on one row: a button on the row's page, a page that asks for confirmation, and at most one run."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import action

from accounts.audit_log import AlreadyDone
from genvid.confirmation import is_confirmed, render_confirmation
from genvid.errors import DomainError
from genvid.panels import Link, page_of

TOKEN = "token"  # noqa: S105 - the name of a field
REFUSALS: list[type[Exception]] = [DomainError]
"""What a refused act raises. Apps whose gateways have errors of their own add them.

One with a true `is_undecided` says that the act may have been done: it is repeated under its token.
"""


class Outcome(Enum):
    DONE = "done"
    REFUSED = "refused"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class ConfirmedAct:
    """`run` gets the row, `staff_id`, `token` and the form's fields, writes the audit entry, and returns what was done.

    `token` belongs to one page that was shown: the service must make a repetition of it harmless.
    """

    name: str
    title: str
    permission: str
    run: Callable[..., str]
    warning: Callable[[Any], str]
    account_of: Callable[[Any], UUID]
    form: Callable[..., forms.Form] = forms.Form
    """Called with the row, and with the posted data where there is any."""


def offer(admin: "type[ModelAdmin[Any]]", *acts: ConfirmedAct) -> None:
    """Add buttons and pages to the model's page."""
    for act in acts:
        setattr(admin, f"act_{act.name}", _page_of(act))
        setattr(admin, f"has_act_{act.name}_permission", _permission_of(act))
    known: Any = getattr(admin, "actions_detail", ())
    admin.actions_detail = [*known, *(f"act_{act.name}" for act in acts)]  # type: ignore[attr-defined]


def link_of(request: HttpRequest, row: Model, act: ConfirmedAct) -> Link | None:
    """The page of an act; None for staff who may not do it."""
    if not request.user.has_perm(act.permission):
        return None
    return Link(act.title, reverse(admin_urlname(row._meta, f"act_{act.name}"), args=[row.pk]))  # type: ignore[arg-type]


def _permission_of(act: ConfirmedAct) -> Callable[..., bool]:
    # A permission named with a dot would make Unfold's system check ask the database.
    def may_act(self: "ModelAdmin[Any]", request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm(act.permission))

    return may_act


def _page_of(act: ConfirmedAct) -> Callable[..., HttpResponse]:
    def page(self: "ModelAdmin[Any]", request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        token = _posted_token(request)
        form = act.form(row, request.POST) if is_confirmed(request) and token else act.form(row)
        if token and form.is_bound and form.is_valid():
            outcome = _run(self, request, act, row, token, form.cleaned_data)
            if outcome is Outcome.DONE:
                return redirect(_where_next(request, act, row))
            if outcome is Outcome.REFUSED:
                # Whoever remembers the refusal under the token would refuse another amount under it, too.
                token = None
        hidden = [(TOKEN, str(token or uuid4()))]
        return render_confirmation(
            self, request, title=act.title, warning=act.warning(row), form=form, things=[str(row)], hidden=hidden
        )

    page.__name__ = f"act_{act.name}"
    decorated: Callable[..., HttpResponse] = action(description=act.title, permissions=[f"act_{act.name}"])(page)
    return decorated


def _run(
    admin: "ModelAdmin[Any]", request: HttpRequest, act: ConfirmedAct, row: Model, token: UUID, given: dict[str, Any]
) -> Outcome:
    try:
        done = act.run(row, staff_id=UUID(str(request.user.pk)), token=token, **given)
    except AlreadyDone as repeated:
        admin.message_user(request, repeated.message, messages.WARNING)
        return Outcome.DONE
    except tuple(REFUSALS) as error:
        admin.message_user(request, f"{act.title}: refused. {error}", messages.ERROR)
        return Outcome.UNDECIDED if getattr(error, "is_undecided", False) else Outcome.REFUSED
    admin.log_change(request, row, f"{act.title}. {done}")
    admin.message_user(request, done, messages.SUCCESS)
    return Outcome.DONE


def _posted_token(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.POST.get(TOKEN, ""))
    except ValueError:
        return None


def _where_next(request: HttpRequest, act: ConfirmedAct, row: Model) -> str:
    if request.user.has_perm("accounts.view_account"):
        return reverse("admin:accounts_account_change", args=[act.account_of(row)])
    return page_of(row)
