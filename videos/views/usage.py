"""What an account used: credits and videos, by day or by API key."""

from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from genvid.api.serializers import refuse_field
from genvid.api.views import StrictAPIView
from videos import usage
from videos.serializers.usage import DEFAULT_DAYS, GROUPS, MOST_DAYS, UsageOutput, span_of

FIRST = f"The first day, UTC. At most {MOST_DAYS} days are answered; {DEFAULT_DAYS} when left out."
PARAMETERS = [
    OpenApiParameter("from", OpenApiTypes.DATE, description=FIRST),
    OpenApiParameter("to", OpenApiTypes.DATE, description="The last day, UTC, itself included; today when left out."),
    OpenApiParameter("group_by", enum=GROUPS, description="`day` when left out: each day, also where nothing was."),
]


class UsageView(StrictAPIView):
    scopes: ClassVar = {"GET": Scope.BILLING_READ}
    query_params: ClassVar = frozenset({"from", "to", "group_by"})

    @extend_schema(responses=UsageOutput, operation_id="get_usage", parameters=PARAMETERS)
    def get(self, request: Request) -> Response:
        group_by = request.query_params.get("group_by", "day")
        if group_by not in GROUPS:
            raise refuse_field("group_by", f"Must be {' or '.join(GROUPS)}.")
        span = span_of(request.query_params)
        grouped = usage.by_day if group_by == "day" else usage.by_key
        rows, total = grouped(caller_of(request).account_id, span)
        days = {"first_day": span.first, "last_day": span.last}
        return Response({**days, "group_by": group_by, "rows": rows, "total": total})
