"""The admin page that asks for confirmation."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


def render_confirmation(
    admin: "ModelAdmin[Any]",
    request: HttpRequest,
    *,
    title: str,
    warning: str,
    form: forms.Form,
    things: Iterable[str] = (),
    hidden: Iterable[tuple[str, str]] = (),
) -> HttpResponse:
    context = admin.admin_site.each_context(request) | {"opts": admin.model._meta, "title": title, "warning": warning}
    context |= {"form": form, "things": list(things), "hidden": list(hidden)}
    return TemplateResponse(request, "genvid/confirm.html", context)


def is_confirmed(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get("confirmed") == "yes"
