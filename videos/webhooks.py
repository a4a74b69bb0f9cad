"""HeyGen's knock: verify, store raw, answer. The work comes later."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from genvid.api.exceptions import describe, error_object
from genvid.api.renderers import error_response
from genvid.errors import MalformedBody, NotAuthenticated
from genvid.heygen.webhook import BadPayload, BadSignature, parse, verify
from videos.services import deliveries

OPEN_METHODS = ("OPTIONS", "GET", "HEAD")
BODY_LIMIT = 1024 * 1024


@csrf_exempt
def heygen(request: HttpRequest) -> HttpResponse:
    """HeyGen probes the address before it calls (docs of v1: OPTIONS, one second): probes get 200, fast."""
    if request.method in OPEN_METHODS:
        return HttpResponse(status=200)
    if request.method != "POST":
        error = error_object("method_not_allowed", f'Method "{request.method}" not allowed.')
        return error_response(405, error, request)
    try:
        if int(request.headers.get("Content-Length") or 0) > BODY_LIMIT:
            raise BadPayload("too large")
        verify(request.body, request.headers, deliveries.signing_secrets(), timezone.now())
        deliveries.keep(parse(request.body, request.headers))
    except BadSignature:
        return _refuse(request, NotAuthenticated("The signature does not match."))
    except BadPayload as error:
        return _refuse(request, MalformedBody(str(error)))
    return HttpResponse(status=200)


def _refuse(request: HttpRequest, error: NotAuthenticated | MalformedBody) -> HttpResponse:
    status, body, _ = describe(error)
    return error_response(status, body, request)
