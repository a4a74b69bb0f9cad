"""Stripe's webhook view: verifies signature and form, then dj-stripe stores the event and sends its signals."""

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

from billing.stripe.event_types import EVENT_TYPES
from billing.stripe.event_validation import refuse_malformed
from billing.stripe.stripe_errors import translate
from billing.stripe_sync import sync_queue
from genvid.api.client_address import UNKNOWN, client_address
from genvid.api.incoming_webhooks import count_forgery, receive
from genvid.errors import MalformedBody, ProviderUnavailable, ValidationFailed
from genvid.metrics import Tally

logger = structlog.get_logger(__name__)
deliveries = Tally("genvid_stripe_deliveries_total", "Stripe's webhooks as they came.", ["received"])
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - not bound: dj-stripe stores it for an unknown address


@csrf_exempt
def stripe_webhook(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """200: stored, now or before. After any other status Stripe resends the event for three days."""
    return receive(request, partial(_accept, uuid))


def _accept(uuid: UUID, request: HttpRequest, body: bytes) -> None:
    endpoint = get_object_or_404(WebhookEndpoint, djstripe_uuid=uuid)
    if not _is_genuine(body, request.headers.get("Stripe-Signature", ""), endpoint):
        count_forgery(request, deliveries)
        logger.warning("stripe_webhook_forged", address=client_address(request))
        _store_forgery(request, _parsed(body), endpoint)
        raise ValidationFailed("The signature does not match.")
    event = _parsed(body)
    if event.get("object") != "event":
        # dj-stripe cannot store a thin event (https://docs.stripe.com/event-destinations).
        logger.warning("stripe_event_is_thin", type=event.get("type"))
        return
    if "id" in event and "livemode" in event:
        # dj-stripe refuses an event without these.
        refuse_malformed(event)
    _store_event(request, uuid, event)


def _is_genuine(body: bytes, signature: str, endpoint: WebhookEndpoint) -> bool:
    """Verifies signature and age (https://docs.stripe.com/webhooks/signature)."""
    try:
        WebhookSignature.verify_header(body, signature, endpoint.secret, endpoint.djstripe_tolerance)
    except (SignatureVerificationError, UnicodeDecodeError, TypeError):
        # TypeError: a signature with other characters than ASCII.
        return False
    return True


def _store_forgery(request: HttpRequest, event: dict[str, Any], endpoint: WebhookEndpoint) -> None:
    # For staff: with a wrong secret every genuine delivery looks forged.
    if request.headers.get("Stripe-Signature"):
        bare = _minimal_request(request)
        WebhookEventTrigger.objects.create(
            body=request.body.decode(),
            headers=dict(bare.headers),
            remote_ip=bare.META["REMOTE_ADDR"],
            webhook_endpoint=endpoint,
            exception=f"The signature of {event.get('id', 'an event')} does not match."[:128],
        )


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise MalformedBody from error
    if not isinstance(event, dict):
        raise MalformedBody("The body is not a JSON object.")
    return event


def _store_event(request: HttpRequest, uuid: UUID, event: dict[str, Any]) -> None:
    """Stores the event unless it is known. Raises what receivers raise, with nothing stored."""
    try:
        answer = ProcessWebhookView.as_view()(_minimal_request(request), uuid=uuid)
    except StripeError as error:
        _sync_without_mirror(error, event)
        return
    if answer.status_code != HTTPStatus.OK:
        raise ValidationFailed("The event has no id or no mode.")
    deliveries.add("taken")


def _sync_without_mirror(error: StripeError, event: dict[str, Any]) -> None:
    """For an event whose object Stripe refuses or deleted. Raises ProviderUnavailable where a retry can help."""
    refused = translate(error)
    logger.warning("stripe_event_not_mirrored", event_id=event["id"], type=event["type"], error=repr(error))
    if refused.retryable:
        deliveries.add("failed")
        sync_queue.alarm_refused_key(refused)
        raise ProviderUnavailable from error
    if event["type"] in EVENT_TYPES:
        sync_queue.request_sync_for_event(event["type"], event["data"]["object"])
    deliveries.add("taken")


def _minimal_request(request: HttpRequest) -> HttpRequest:
    # dj-stripe would store every header, trust any `X-Forwarded-For`, and under DEBUG take the signing secret from
    # `X-Djstripe-Webhook-Secret`.
    address = client_address(request)
    bare = HttpRequest()
    bare.method = "POST"
    bare.META = {
        "REMOTE_ADDR": NO_ADDRESS if address == UNKNOWN else address,
        "HTTP_STRIPE_SIGNATURE": request.headers.get("Stripe-Signature", ""),
        "HTTP_USER_AGENT": request.headers.get("User-Agent", ""),
    }
    bare._body = request.body  # the cache behind `HttpRequest.body`
    return bare
