"""HeyGen's webhook view: verifies the signature, stores the raw delivery, answers; a worker processes it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from genvid.api.incoming_webhooks import count_forgery, receive
from genvid.errors import MalformedBody, NotAuthenticated
from genvid.heygen.webhook_signature import BadPayload, BadSignature, parse
from videos import metrics
from videos.pipeline import incoming_webhooks


@csrf_exempt
def heygen(request: HttpRequest) -> HttpResponse:
    """HeyGen probes the address before it calls (docs of v1: OPTIONS, one second): probes get 200."""
    return receive(request, _accept, probes=("OPTIONS", "GET", "HEAD"))


def _accept(request: HttpRequest, body: bytes) -> None:
    try:
        incoming_webhooks.verify_delivery(body, request.headers)
        incoming_webhooks.store_delivery(parse(body, request.headers))
    except BadSignature as error:
        count_forgery(request, metrics.deliveries)
        raise NotAuthenticated("The signature does not match.") from error
    except BadPayload as error:
        raise MalformedBody(str(error)) from error
