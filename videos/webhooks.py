"""HeyGen's knock: verify, store raw, answer. The work comes later."""

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from genvid.api import ratelimits
from genvid.api.exceptions import refuse
from genvid.errors import BodyTooLarge, MalformedBody, MethodNotAllowed, NotAuthenticated, RateLimited
from genvid.heygen.webhook import BadPayload, BadSignature, parse, verify
from videos import metrics
from videos.services import deliveries

OPEN_METHODS = ("OPTIONS", "GET", "HEAD")
BODY_LIMIT = 1024 * 1024


@csrf_exempt
def heygen(request: HttpRequest) -> HttpResponse:
    """HeyGen probes the address before it calls (docs of v1: OPTIONS, one second): probes get 200, fast."""
    if request.method in OPEN_METHODS:
        return HttpResponse(status=200)
    if request.method != "POST":
        refusal = refuse(request, MethodNotAllowed(f'Method "{request.method}" not allowed.'))
        refusal["Allow"] = ", ".join((*OPEN_METHODS, "POST"))
        return refusal
    try:
        verify(_body_of(request), request.headers, deliveries.signing_secrets(), timezone.now())
        deliveries.keep(parse(request.body, request.headers))
    except BodyTooLarge as error:
        return refuse(request, error)
    except BadSignature:
        metrics.deliveries.add("forged")
        return refuse(request, _forgery(request))
    except BadPayload as error:
        return refuse(request, MalformedBody(str(error)))
    except OperationalError as error:
        # Not kept, so not taken: HeyGen sends it again.
        return refuse(request, error)
    return HttpResponse(status=200)


def _forgery(request: HttpRequest) -> Exception:
    """Too many from one address are told to stop; HeyGen's own deliveries are never counted."""
    if settings.RATE_LIMITS:
        standing = ratelimits.of_stranger(request, settings.RATE_LIMIT_FORGED_WEBHOOKS)
        if standing.is_over:
            return RateLimited(retry_after=max(1, standing.resets_in))
    return NotAuthenticated("The signature does not match.")


def _body_of(request: HttpRequest) -> bytes:
    """The raw body, refused by its announced length before it is read."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not str(announced).isdecimal():
        raise BadPayload("the length is not a number")
    if int(announced) > BODY_LIMIT:
        raise BodyTooLarge
    return request.body
