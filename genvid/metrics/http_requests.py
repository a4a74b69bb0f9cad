"""Counts and times requests by the name of their route. Paths would make series without end."""

from django.http import HttpRequest

from genvid.metrics import Tally, Timing

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"

_requests = Tally("genvid_http_requests_total", "Requests by route, method and status.", ["route", "method", "status"])
_seconds = Timing(
    "genvid_http_request_seconds",
    "Time to the answer, by route and method.",
    ["route", "method"],
    buckets=SECONDS,
)


def observe_request(request: HttpRequest, status: int, seconds: float) -> None:
    match = request.resolver_match
    route = match.view_name if match else NO_ROUTE
    # Clients may send any word as the method.
    method = request.method if request.method in METHODS else "other"
    _requests.add(route, method, str(status))
    _seconds.note(seconds, route, method)
