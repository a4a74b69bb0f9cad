"""Stripe's webhook view: verifies signature and form; dj-stripe stores and mirrors the event and sends its signals."""

import json
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from djstripe.models import WebhookEndpoint, WebhookEventTrigger
from djstripe.views import ProcessWebhookView
from stripe import SignatureVerificationError, StripeError, WebhookSignature

from billing.stripe.event_validation import refuse_malformed
from billing.stripe.stripe_errors import translated
from billing.stripe.webhook_endpoint import EVENT_TYPES
from billing.stripe_sync import sync_queue
from genvid.api.client_address import UNKNOWN, client_address
from genvid.api.incoming_webhooks import count_forgery, receive
from genvid.errors import MalformedBody, ProviderUnavailable, ValidationFailed
from genvid.metrics import Tally

logger = structlog.get_logger(__name__)
deliveries = Tally("genvid_stripe_deliveries_total", "Stripe's webhooks as they came.", ["received"])
NOWHERE = "0.0.0.0"  # noqa: S104 - no address that is bound, but the one that dj-stripe stores for none


@csrf_exempt
def stripe_webhook(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """200: stored, now or before. After any other status Stripe resends for three days."""
    return receive(request, partial(_accept, uuid))


def _accept(uuid: UUID, request: HttpRequest, body: bytes) -> None:
    endpoint = get_object_or_404(WebhookEndpoint, djstripe_uuid=uuid)
    if not _is_genuine(body, request.headers.get("Stripe-Signature", ""), endpoint):
        count_forgery(request, deliveries)
        logger.warning("stripe_webhook_forged", address=client_address(request))
        _keep_forgery(request, _parsed(body), endpoint)
        raise ValidationFailed("The signature does not match.")
    event = _parsed(body)
    if event.get("object") != "event":
        # A thin event (https://docs.stripe.com/event-destinations): dj-stripe would fail at it for ever.
        logger.warning("stripe_event_is_thin", type=event.get("type"))
        return
    if "id" in event and "livemode" in event:
        # Without these dj-stripe refuses it by itself.
        refuse_malformed(event)
    _hand_over(request, uuid, event)


def _is_genuine(body: bytes, signature: str, endpoint: WebhookEndpoint) -> bool:
    """Whether it was signed recently with the endpoint's secret (https://docs.stripe.com/webhooks/signature)."""
    try:
        WebhookSignature.verify_header(body, signature, endpoint.secret, endpoint.djstripe_tolerance)
    except (SignatureVerificationError, UnicodeDecodeError, TypeError):
        # TypeError: a signature of other letters than ASCII is not even compared.
        return False
    return True


def _keep_forgery(request: HttpRequest, event: dict[str, Any], endpoint: WebhookEndpoint) -> None:
    """Stored for staff: with a wrong secret every delivery of Stripe's is a forgery."""
    if request.headers.get("Stripe-Signature"):
        bare = _bare(request)
        WebhookEventTrigger.objects.create(
            body=request.body.decode(),
            headers=dict(bare.headers),
            remote_ip=bare.META["REMOTE_ADDR"],
            webhook_endpoint=endpoint,
            exception=f"The signature of {event.get('id', 'an event')} does not match."[:128],
        )


def _parsed(body: bytes) -> dict[str, Any]:
    """Only an object: dj-stripe fails at other JSON before it checks the signature."""
    try:
        event = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise MalformedBody from error
    if not isinstance(event, dict):
        raise MalformedBody("The body is not a JSON object.")
    return event


def _hand_over(request: HttpRequest, uuid: UUID, event: dict[str, Any]) -> None:
    """Lets dj-stripe store the event, unless it has. Raises what receivers raise, with nothing stored."""
    try:
        answer = ProcessWebhookView.as_view()(_bare(request), uuid=uuid)
    except StripeError as error:
        _go_without_mirror(error, event)
        return
    if answer.status_code != HTTPStatus.OK:
        raise ValidationFailed("The event has no id or no mode.")
    deliveries.add("taken")


def _go_without_mirror(error: StripeError, event: dict[str, Any]) -> None:
    """Stripe did not return the event's object to dj-stripe.

    A definite answer, such as a deleted object, would be the same in three days: the sync runs without a mirror. Raises
    ProviderUnavailable where a retry can help.
    """
    refused = translated(error)
    logger.warning("stripe_event_not_mirrored", event_id=event["id"], type=event["type"], error=repr(error))
    if refused.retryable:
        deliveries.add("failed")
        sync_queue.alarm_refused_key(refused)
        raise ProviderUnavailable from error
    if event["type"] in EVENT_TYPES:
        sync_queue.request_sync_for_event(event["type"], event["data"]["object"])
    deliveries.add("taken")


def _bare(request: HttpRequest) -> HttpRequest:
    """A request with nothing but body, signature and address.

    dj-stripe would store every header, trust any `X-Forwarded-For`, and under DEBUG take the signing secret from
    `X-Djstripe-Webhook-Secret`.
    """
    address = client_address(request)
    bare = HttpRequest()
    bare.method = "POST"
    bare.META = {
        "REMOTE_ADDR": NOWHERE if address == UNKNOWN else address,
        "HTTP_STRIPE_SIGNATURE": request.headers.get("Stripe-Signature", ""),
        "HTTP_USER_AGENT": request.headers.get("User-Agent", ""),
    }
    bare._body = request.body  # what `body` answers once it was read
    return bare
