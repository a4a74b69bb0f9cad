"""Usage endpoint: credits and videos of an account, by day or by API key."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint
from genvid.api.serializers import refuse_field
from videos import usage
from videos.listening import allowances
from videos.serializers.usage import DEFAULT_DAYS, GROUPS, MAX_DAYS, SpeechTodayOutput, UsageOutput, span_of

FIRST = (
    f"The first day, UTC. At most {MAX_DAYS} days are answered; {DEFAULT_DAYS} when left out. For example `2026-05-01`."
)
PARAMETERS = (
    OpenApiParameter("from", OpenApiTypes.DATE, description=FIRST),
    OpenApiParameter(
        "to",
        OpenApiTypes.DATE,
        description="The last day, UTC, itself included; today when left out. For example `2026-05-31`.",
    ),
    OpenApiParameter("group_by", enum=GROUPS, description="`day` when left out: each day, also where nothing was."),
)


class UsageViewSet(AccountViewSet):
    tag = "Billing and usage"
    endpoints = {
        "retrieve": Endpoint(
            "get_usage", scope=Scope.BILLING_READ, response=UsageOutput, parameters=PARAMETERS, etag=True
        ),
    }

    def retrieve(self, request: Request) -> Response:
        """Show what was used."""
        group_by = request.query_params.get("group_by", "day")
        if group_by not in GROUPS:
            raise refuse_field("group_by", f"Must be {' or '.join(GROUPS)}.")
        span = span_of(request.query_params)
        grouped = usage.usage_by_day if group_by == "day" else usage.usage_by_key
        rows, total = grouped(self.caller.account_id, span)
        days = {"first_day": span.first, "last_day": span.last}
        today = allowances.allowance_of(self.caller.account_id)
        speech = SpeechTodayOutput.of(today, free_seconds_left=float(today.free_seconds_left))
        return Response({**days, "group_by": group_by, "rows": rows, "total": total, "speech_today": speech})
