"""Registers our webhook endpoint at HeyGen and stores its signing secret."""

import structlog
from django.conf import settings
from django.db import transaction

from avatars.own import hints
from genvid import cache, database_clock
from genvid.heygen.heygen_client import HeyGenClient, get_client
from genvid.heygen.heygen_errors import HeyGenError
from genvid.heygen.heygen_types import WebhookEndpoint
from videos.models import ProviderWebhook

logger = structlog.get_logger(__name__)
REGISTERING_SECONDS = 300
VIDEO_EVENTS = ("avatar_video.success", "avatar_video.fail")
EVENTS = (*VIDEO_EVENTS, *hints.EVENTS)
"""Of an endpoint that is registered anew; one from before tells of videos alone, and faces are polled."""


def webhook_url() -> str:
    return f"{settings.PUBLIC_URL}/webhooks/heygen/"


def ensure_registered() -> bool:
    """Register our endpoint unless it is. False when HeyGen did not answer; polling then replaces webhooks."""
    # One at a time: of two concurrent rotations, the replaced secret could be stored last.
    if not cache.is_first_in("videos.registering", REGISTERING_SECONDS):
        return True
    try:
        return _ensure_registered(webhook_url())
    finally:
        cache.delete("videos.registering")


def _ensure_registered(url: str) -> bool:
    known = ProviderWebhook.objects.filter(url=url, retired_at=None).first()
    client = get_client()
    try:
        theirs = next((each for each in client.iter_webhooks() if each.url == url), None)
        if known and theirs and known.endpoint_id == theirs.id:
            return True
        _store_endpoint(url, _register(client, url, theirs))
    except HeyGenError as error:
        logger.warning("webhook_not_registered", error=str(error))
        return False
    return True


def _register(client: HeyGenClient, url: str, theirs: WebhookEndpoint | None) -> WebhookEndpoint:
    if theirs is None:
        return client.register_webhook(url, EVENTS)
    # Registered, but HeyGen shows a secret only once and ours is lost: ask for a new one.
    secret = client.rotate_webhook_secret(theirs.id)
    return WebhookEndpoint(theirs.id, theirs.url, theirs.enabled, secret)


def rotate_secret() -> None:
    """Ask for a new secret. HeyGen drops the old one at once; we accept it for a day. Raises HeyGenError."""
    url, client = webhook_url(), get_client()
    theirs = next((each for each in client.iter_webhooks() if each.url == url), None)
    _store_endpoint(url, _register(client, url, theirs))


@transaction.atomic
def _store_endpoint(url: str, endpoint: WebhookEndpoint) -> None:
    ProviderWebhook.objects.filter(url=url, retired_at=None).update(retired_at=database_clock.now())
    ProviderWebhook.objects.create(endpoint_id=endpoint.id, url=url, secret=endpoint.secret or "")
    logger.info("webhook_registered", endpoint_id=endpoint.id, url=url)
