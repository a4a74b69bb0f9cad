"""The admin page of alarms: open ones first by severity, with what to do, to be taken on by staff."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest
from unfold.decorators import display

from genvid.admin import ReadOnlyAdmin
from genvid.staff_filters import state_filter
from videos import operator_alarms
from videos.models import OperatorAlarm
from videos.querysets import OPEN_ALARM
from videos.staff.alarm_guide import Severity, advice_on, severity_rank

OPEN, TAKEN_ON = "open", "acknowledged"
MAX_AT_ONCE = 200
COLORS = {Severity.CRITICAL.value: "danger", Severity.WARNING.value: "warning", Severity.NOTICE.value: "info"}
STATE_COLORS = {OPEN: "danger", TAKEN_ON: "success"}


StateFilter = state_filter(
    {
        OPEN: ("Open", lambda rows: rows.unacknowledged()),
        TAKEN_ON: ("Acknowledged", lambda rows: rows.acknowledged()),
    }
)


@admin.register(OperatorAlarm)
class OperatorAlarmAdmin(ReadOnlyAdmin):
    list_display = ("last_at", "severity", "state", "code", "text", "what_to_do", "count", "first_at", "taken_on")
    list_filter = (StateFilter, "code", "last_at")
    search_fields = ("key", "text")
    actions = ("acknowledge",)
    fields = (
        *("severity", "state", "code", "text", "what_to_do", "count", "first_at", "last_at", "mailed_at"),
        *("acknowledged_at", "acknowledged_by", "key"),
    )
    readonly_fields = ("severity", "state", "what_to_do")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OperatorAlarm]:
        found: QuerySet[OperatorAlarm] = super().get_queryset(request).annotate(is_open=_open_rank())
        return found

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [_open_rank().desc(), severity_rank().asc(), "-last_at", "-id"]

    @display(description="severity", label=COLORS)  # type: ignore[untyped-decorator]
    def severity(self, alarm: OperatorAlarm) -> str:
        return advice_on(alarm.code).severity.value

    @display(description="state", label=STATE_COLORS)  # type: ignore[untyped-decorator]
    def state(self, alarm: Any) -> str:
        return OPEN if alarm.is_open else TAKEN_ON

    @admin.display(description="what to do")
    def what_to_do(self, alarm: OperatorAlarm) -> str:
        return advice_on(alarm.code).what_to_do

    @admin.display(description="taken on by")
    def taken_on(self, alarm: OperatorAlarm) -> str:
        at = alarm.acknowledged_at
        return f"{alarm.acknowledged_by}, {at:%Y-%m-%d %H:%M} UTC" if at else ""

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        allowed: bool = request.user.has_perm("videos.change_operatoralarm")
        return allowed

    @admin.action(description="Acknowledge: you take it on", permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, alarms: "QuerySet[OperatorAlarm]") -> None:
        taken = [
            alarm
            for alarm in alarms[:MAX_AT_ONCE]
            if operator_alarms.acknowledge(alarm, by=request.user.get_username())
        ]
        for alarm in taken:
            # A form's message, so that the audit log has it too.
            self.log_change(request, alarm, [{"changed": {"fields": ["acknowledged_at"]}}])
        self.message_user(request, f"{len(taken)} of the chosen alarms acknowledged.", messages.SUCCESS)


def _open_rank() -> Case:
    return Case(When(OPEN_ALARM, then=Value(1)), default=Value(0), output_field=IntegerField())
