"""Beat and the queues in the admin: who is silent, since when, and whose clock is wrong."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.decorators import display

from genvid.admin import ReadOnlyAdmin
from genvid.heartbeats import status
from genvid.heartbeats.models import Heartbeat
from genvid.staff_home import Work, add_work

COLORS = {status.OK: "success", status.STARTING: "info", status.SILENT: "danger"}


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("name", "state", "beat_at", "asked_at", "host", "seconds_ahead")
    search_fields = ("name", "host")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Heartbeat]":
        found: Any = super().get_queryset(request)
        rows: QuerySet[Heartbeat] = found.filter(name__in=status.part_names()).with_now()
        return rows

    @display(description="state", label=COLORS)  # type: ignore[untyped-decorator]
    def state(self, row: Heartbeat) -> str:
        return status.state_of(row, row.name)

    @admin.display(description="clock ahead by, seconds")
    def seconds_ahead(self, row: Heartbeat) -> str:
        return "" if row.clock_ahead is None else f"{row.clock_ahead.total_seconds():+.1f}"


def count_silent() -> int:
    return sum(state == status.SILENT for state in status.read_states().values())


add_work(
    Work(
        "parts",
        "Silent: beat or queues",
        count_silent,
        lambda: reverse("admin:heartbeats_heartbeat_changelist"),
        "heartbeats.view_heartbeat",
        is_urgent=True,
    )
)
