"""Creation, change, deletion and test of webhook endpoints."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import audit_log
from accounts.caller import Caller
from accounts.enums import AuditAct, DeliveryStatus, EventType, Health
from accounts.models import Account, Delivery, WebhookEndpoint
from accounts.webhooks import outgoing_events
from accounts.webhooks.enqueueing import enqueue_delivery_on_commit
from accounts.webhooks.signing import new_secret
from genvid import database_clock
from genvid.api.serializers import refuse_field
from genvid.errors import Conflict, InvalidState
from genvid.http import ForbiddenAddress, check_public_url
from genvid.http.public_addresses import check_url_allowing_private, split_url
from genvid.leasing import from_now

MAX_ENDPOINTS = 20
OLD_SECRET_LIFETIME = timedelta(hours=24)
RESET_HEALTH = {"health": Health.NEW, "failures": 0, "failing_since": None, "paused_until": None}
RE_ENABLED = {**RESET_HEALTH, "disabled_reason": "", "disabled_at": None, "told_at": None}


def check_url(url: str) -> None:
    """Does a DNS lookup: call it outside a transaction. Raises ValidationFailed on `url`."""
    try:
        parts = split_url(url)
        if not parts.hostname or parts.fragment:
            raise ForbiddenAddress("the address needs a host, and no fragment")
        if settings.ALLOW_PRIVATE_WEBHOOK_URLS:
            check_url_allowing_private(url)
            return
        if parts.scheme != "https":
            raise ForbiddenAddress("the address must start with https://")
        check_public_url(url)
    except ForbiddenAddress as error:
        raise refuse_field("url", f"Cannot be used: {error.reason}.") from error


@transaction.atomic
def create_endpoint(caller: Caller, *, url: str, events: list[str], **options: Any) -> WebhookEndpoint:
    """Check the URL first. `options`: description, enabled. Raises Conflict beyond `MAX_ENDPOINTS`."""
    # Under the account's lock: two requests at once must not both be the last that fits.
    Account.objects.select_for_update().get(pk=caller.account_id)
    if WebhookEndpoint.objects.of(caller.account_id).count() >= MAX_ENDPOINTS:
        raise Conflict(f"An account has at most {MAX_ENDPOINTS} webhook endpoints; remove one first.")
    given = {"url": url, "events": sorted(set(events)), "secret": new_secret()} | options
    endpoint: WebhookEndpoint = WebhookEndpoint.objects.create(account_id=caller.account_id, **given)
    audit_log.record_by(caller, AuditAct.ENDPOINT_CREATED, endpoint=endpoint.pk, url=url)
    return endpoint


@transaction.atomic
def update_endpoint(caller: Caller, endpoint: WebhookEndpoint, **changes: Any) -> WebhookEndpoint:
    """`changes`: url, events, description, enabled. A new URL and enabling it again reset its failures."""
    if "events" in changes:
        changes["events"] = sorted(set(changes["events"]))
    if changes.get("enabled") and not endpoint.enabled:
        changes |= RE_ENABLED
    elif changes.get("url", endpoint.url) != endpoint.url:
        changes |= RESET_HEALTH
    _save_changes(endpoint, changes)
    audit_log.record_by(caller, AuditAct.ENDPOINT_CHANGED, endpoint=endpoint.pk, fields=" ".join(sorted(changes)))
    return endpoint


@transaction.atomic
def delete_endpoint(caller: Caller, endpoint: WebhookEndpoint) -> None:
    """The row is kept, hidden, until its deliveries are deleted (`accounts.purge`)."""
    _save_changes(endpoint, {"deleted_at": database_clock.now(), "enabled": False})
    audit_log.record_by(caller, AuditAct.ENDPOINT_REMOVED, endpoint=endpoint.pk, url=endpoint.url)


@transaction.atomic
def rotate_secret(caller: Caller, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """The previous secret signs as well for `OLD_SECRET_LIFETIME`; an older one is dropped."""
    present: WebhookEndpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    until = database_clock.now() + OLD_SECRET_LIFETIME
    _save_changes(present, {"secret": new_secret(), "old_secret": present.secret, "old_secret_until": until})
    audit_log.record_by(caller, AuditAct.SECRET_ROTATED, endpoint=endpoint.pk)
    return present


def send_ping(endpoint: WebhookEndpoint, data: dict[str, Any]) -> Delivery:
    """Ignores the endpoint's event types. Raises InvalidState if it is disabled."""
    if not endpoint.enabled:
        raise InvalidState("The endpoint is off; switch it on first.")
    (delivery,) = outgoing_events.insert_events(
        endpoint.account_id, EventType.PING, [(str(endpoint.pk), data)], [endpoint.pk]
    )
    delivery.refresh_from_db(fields=["next_attempt_at"])
    return delivery


@transaction.atomic
def retry_delivery(delivery: Delivery) -> Delivery:
    """Make one more attempt at once, before other deliveries. Raises InvalidState if the endpoint is disabled."""
    if not delivery.endpoint.enabled:
        raise InvalidState("The endpoint is off; switch it on first.")
    again = {"status": DeliveryStatus.PENDING, "urgent": True, "next_attempt_at": from_now(), "ended_at": None}
    Delivery.objects.filter(pk=delivery.pk).update(**again)
    enqueue_delivery_on_commit(delivery.endpoint_id)
    delivery.refresh_from_db(fields=[*again])
    return delivery


@transaction.atomic
def resend_by_staff(delivery: Delivery, *, staff_id: UUID, token: UUID) -> None:
    """`retry_delivery`. Raises AlreadyDone, and InvalidState if the endpoint is disabled."""
    facts = {"delivery": delivery.pk, "event": delivery.event_id}
    account_id = delivery.endpoint.account_id
    audit_log.record_once(AuditAct.STAFF_DELIVERY_RESENT, token, staff_id=staff_id, account_id=account_id, **facts)
    retry_delivery(delivery)


def _save_changes(endpoint: WebhookEndpoint, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(endpoint, name, value)
    if changes:
        # Only these fields: a worker may be writing the others.
        endpoint.save(update_fields=[*changes, "updated_at"])
