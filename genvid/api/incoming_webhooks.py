"""Shared by the webhook views of all providers: bounded body, answer in the envelope, rate limit for forgeries."""

from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError

from genvid.api import rate_limits
from genvid.api.exceptions import refuse, refuse_method
from genvid.errors import BodyTooLarge, DomainError, MalformedBody
from genvid.metrics import Tally

BODY_LIMIT = 1024 * 1024


def receive(
    request: HttpRequest, accept: Callable[[HttpRequest, bytes], None], *, probes: Sequence[str] = ()
) -> HttpResponse:
    """Answers 200 once `accept` has verified and stored the raw body, and at once to the methods in `probes`.

    Any other answer makes the provider send again. `accept` raises DomainError, Http404 or OperationalError.
    """
    if request.method in probes:
        return HttpResponse(status=200)
    if request.method != "POST":
        return refuse_method(request, *probes, "POST")
    try:
        accept(request, _read_body(request))
    except (DomainError, Http404, UnreadablePostError, OperationalError) as error:
        return refuse(error)
    return HttpResponse(status=200)


def _read_body(request: HttpRequest) -> bytes:
    """Refuses a large body by its announced length, before reading it."""
    announced = str(request.META.get("CONTENT_LENGTH") or "0")
    if not announced.isdecimal():
        raise MalformedBody("The length is not a number.")
    if int(announced) > BODY_LIMIT or len(request.body) > BODY_LIMIT:
        raise BodyTooLarge
    return request.body


def count_forgery(request: HttpRequest, deliveries: Tally) -> None:
    """Raises RateLimited after too many from one address. Signed deliveries are never counted."""
    deliveries.add("forged")
    if settings.RATE_LIMITS:
        rate_limits.count_anonymous(request, settings.RATE_LIMIT_FORGED_WEBHOOKS).enforce()
