"""Admin base class of videos: each staff action on a page that asks for confirmation, for one video or several."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.decorators import action

from accounts import audit_log
from accounts.enums import AuditAct
from genvid.admin import ReadOnlyAdmin
from genvid.errors import DomainError
from videos.models import Video
from videos.staff.action_forms import MAX_AT_ONCE, STAFF_ACTIONS, StaffAction, is_confirmed, render_confirmation

MAX_SHOWN = 20


class OperatedAdmin(ReadOnlyAdmin):
    """Read-only pages; staff with "change video" may run actions."""

    def has_operate_permission(self, request: HttpRequest, obj: object = None) -> bool:
        allowed: bool = request.user.has_perm("videos.change_video")
        return allowed


def _page_of(offered: StaffAction) -> Callable[..., HttpResponse]:
    def page(self: "StaffActionAdmin", request: HttpRequest, object_id: str) -> HttpResponse:
        video = self.get_object(request, object_id)
        if video is None:
            raise Http404
        form = offered.form(request.POST, request.FILES) if is_confirmed(request) else offered.form()
        if is_confirmed(request) and form.is_valid():
            self.run(request, offered, [video], form.cleaned_data)
            return redirect("admin:videos_video_change", object_id)
        return render_confirmation(
            self, request, title=offered.title, warning=offered.warning, form=form, things=[_describe(video)]
        )

    page.__name__ = f"run_{offered.name}"
    decorated: Callable[..., HttpResponse] = action(description=offered.title, permissions=["operate"])(page)
    return decorated


def _action_of(offered: StaffAction) -> Callable[..., HttpResponse | None]:
    def several(self: "StaffActionAdmin", request: HttpRequest, videos: "QuerySet[Video]") -> HttpResponse | None:
        chosen = list(videos.select_related("account")[: MAX_AT_ONCE + 1])
        if len(chosen) > MAX_AT_ONCE:
            self.message_user(request, f"At most {MAX_AT_ONCE} videos at a time.", messages.ERROR)
            return None
        form = offered.form(request.POST, request.FILES) if is_confirmed(request) else offered.form()
        if is_confirmed(request) and form.is_valid():
            self.run(request, offered, chosen, form.cleaned_data)
            return None
        hidden = [("action", several.__name__), *((ACTION_CHECKBOX_NAME, str(video.pk)) for video in chosen)]
        lines = [_describe(video) for video in chosen[:MAX_SHOWN]]
        lines += [f"and {len(chosen) - MAX_SHOWN} more"] if len(chosen) > MAX_SHOWN else []
        return render_confirmation(
            self, request, title=offered.title, warning=offered.warning, form=form, things=lines, hidden=hidden
        )

    several.__name__ = f"several_{offered.name}"
    decorated: Callable[..., HttpResponse | None] = action(description=offered.title, permissions=["operate"])(several)
    return decorated


class StaffActionAdmin(OperatedAdmin):
    actions = [_action_of(offered) for offered in STAFF_ACTIONS if offered.bulk]
    actions_detail = [{"title": "Actions", "items": [f"run_{offered.name}" for offered in STAFF_ACTIONS]}]

    def run(self, request: HttpRequest, offered: StaffAction, videos: list[Video], given: dict[str, Any]) -> None:
        refused: list[str] = []
        for video in videos:
            try:
                self._act(request, offered, video, given)
            except DomainError as error:
                details = " ".join((error.details or {}).values())
                refused.append(f"{_describe(video)}: {error.message} {details}".rstrip())
            else:
                self.log_change(request, video, _note(offered, given))
        if len(videos) > len(refused):
            self.message_user(request, f"{offered.title}: done for {len(videos) - len(refused)}.", messages.SUCCESS)
        for line in refused[:MAX_SHOWN]:
            self.message_user(request, line, messages.ERROR)

    def _act(self, request: HttpRequest, offered: StaffAction, video: Video, given: dict[str, Any]) -> None:
        with transaction.atomic() if offered.is_local else nullcontext():
            offered.run(video, by=request.user.get_username(), **given)
            said = {f"given_{name}": str(value)[:300] for name, value in given.items()}
            facts = {"action": offered.name, "video": video.pk, **said}
            staff = UUID(str(request.user.pk))
            audit_log.record_staff_action(AuditAct.VIDEO_ACTION, staff_id=staff, account_id=video.account_id, **facts)


for _offered in STAFF_ACTIONS:
    setattr(StaffActionAdmin, f"run_{_offered.name}", _page_of(_offered))


def _describe(video: Video) -> str:
    return f"{video.title or video.pk} ({video.status})"


def _note(offered: StaffAction, given: dict[str, Any]) -> str:
    said = ", ".join(f"{name}: {value}" for name, value in given.items())
    return f"{offered.title}. {said}".rstrip(". ")
