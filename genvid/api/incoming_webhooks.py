"""What the webhooks of all providers share: a bounded body, an answer in the envelope, a limit for forgers."""

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

    Any other answer makes the provider send it again. `accept` raises DomainError, Http404 or OperationalError.
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
    """The raw body, refused by its announced length before it is read."""
    announced = str(request.META.get("CONTENT_LENGTH") or "0")
    if not announced.isdecimal():
        raise MalformedBody("The length is not a number.")
    if int(announced) > BODY_LIMIT or len(request.body) > BODY_LIMIT:
        raise BodyTooLarge
    return request.body


def count_forgery(request: HttpRequest, deliveries: Tally) -> None:
    """Raises RateLimited after too many from one address. What the provider signed is never counted."""
    deliveries.add("forged")
    if settings.RATE_LIMITS:
        rate_limits.of_anonymous(request, settings.RATE_LIMIT_FORGED_WEBHOOKS).enforce()
