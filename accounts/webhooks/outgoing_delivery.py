"""Delivers events to clients' endpoints at least once, in lanes, so that no receiver delays another.

A lane is one worker that sends to one endpoint, one delivery after the other, for `LANE_SECONDS`, and is then enqueued
again. A healthy endpoint has two lanes, a new one has one. Endpoints whose last answer was bad or slow have one each,
and share `WEBHOOK_POOR_SENDS`. One that keeps failing pauses between attempts.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts import jobs
from accounts.enums import DeliveryStatus, Health, MailKind, SwitchedOff
from accounts.models import Delivery, DeliveryAttempt, WebhookEndpoint
from accounts.webhooks.enqueueing import enqueue_delivery, mark_started
from accounts.webhooks.signing import signature_headers
from genvid import database_clock, leasing
from genvid.http import HttpError, post
from genvid.leasing import Backoff, from_now, jittered
from genvid.mail import outbox

logger = structlog.get_logger(__name__)

MINUTE, HOUR = 60, 3600
DELAYS = (
    *(5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 8 * HOUR),
    *(12 * HOUR, 12 * HOUR, 12 * HOUR, 12 * HOUR + 20 * MINUTE),
)
"""Seconds from each failed attempt to the next; the last attempt is at least three days after the first."""
JITTER = 0.1
RETRY_PERIOD = timedelta(days=3)
GIVE_UP_AFTER = timedelta(days=3.5)
"""For deliveries whose endpoint was off or paused when their attempts were due."""

SECONDS = 10.0
LEASE = timedelta(seconds=20)
"""Longer than any attempt: a worker whose lease has ended is dead."""
KEEP_BYTES = 4096
EXCERPT_BYTES = 1024
LANE_SECONDS = 2.0
LANES = {Health.NEW: 1, Health.GOOD: 2, Health.POOR: 1}
SLOW_MS = 1000
FAILURES_BEFORE_REST = 3
REST = Backoff(5, most=300, jitter=JITTER)
MAX_ENDPOINTS_PER_SWEEP = 1000
TELL_AGAIN_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Outcome:
    started_at: datetime
    duration_ms: int
    status_code: int | None = None
    response_excerpt: str = ""
    error: str = ""

    @property
    def delivered(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300


def deliver_next(endpoint_id: UUID) -> None:
    """Send due deliveries to one endpoint for about `LANE_SECONDS`; the rest waits for the next turn of the lane."""
    mark_started(endpoint_id)
    until = time.monotonic() + LANE_SECONDS
    while delivery := _claim_next(endpoint_id):
        # Between two transactions: no lock is held while a receiver answers.
        _record(delivery, _send(delivery))
        if time.monotonic() > until:
            enqueue_delivery(endpoint_id)
            return


@transaction.atomic
def _claim_next(endpoint_id: UUID) -> Delivery | None:
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id, enabled=True).first()
    if endpoint is None or not _has_free_lane(endpoint):
        return None
    due = Delivery.objects.due().filter(endpoint=endpoint).select_related("event", "endpoint")
    delivery: Delivery | None = due.order_by("-urgent", "next_attempt_at", "pk").first()
    return delivery if delivery and delivery.extend(LEASE) else None


def _has_free_lane(endpoint: WebhookEndpoint) -> bool:
    sending = Delivery.objects.sending()
    if sending.filter(endpoint=endpoint).count() >= LANES[Health(endpoint.health)]:
        return False
    if endpoint.health != Health.POOR:
        return True
    poor: int = sending.filter(endpoint__health=Health.POOR).count()
    return poor < int(settings.WEBHOOK_POOR_SENDS)


def _send(delivery: Delivery) -> Outcome:
    event, endpoint, now = delivery.event, delivery.endpoint, database_clock.now()
    headers = signature_headers(event.pk, event.body, endpoint.secrets(now), now)
    headers |= {"webhook-sequence": str(event.sequence), "Content-Type": "application/json"}
    private, start = settings.ALLOW_PRIVATE_WEBHOOK_URLS, time.monotonic()
    try:
        reply = post(
            endpoint.url,
            event.body.encode(),
            headers=headers,
            seconds=SECONDS,
            allow_private=private,
            keep_bytes=KEEP_BYTES,
        )
    except HttpError as error:
        return Outcome(now, _ms_since(start), error=str(error)[:200])
    note = "redirects are not followed" if 300 <= reply.status < 400 else ""
    return Outcome(now, _ms_since(start), reply.status, _readable(reply.excerpt), note)


def _ms_since(start: float) -> int:
    return round((time.monotonic() - start) * 1000)


def _readable(body: bytes) -> str:
    return body[:EXCERPT_BYTES].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


@transaction.atomic
def _record(claimed: Delivery, outcome: Outcome) -> None:
    """Locks endpoint first, then delivery, as `_claim_next` does, to avoid deadlocks."""
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=claimed.endpoint_id).first()
    delivery = Delivery.objects.select_for_update(no_key=True).filter(pk=claimed.pk).first()
    if endpoint is None or delivery is None:
        return
    delivery.attempts_made += 1
    DeliveryAttempt.objects.create(delivery=delivery, number=delivery.attempts_made, **vars(outcome))
    if delivery.leased_until == claimed.leased_until:
        _settle(delivery, outcome)
    delivery.save()
    _record_health(endpoint, outcome)


def _settle(delivery: Delivery, outcome: Outcome) -> None:
    now = database_clock.now()
    delivery.leased_until, delivery.urgent = None, False
    if outcome.delivered:
        delivery.status, delivery.ended_at = DeliveryStatus.DELIVERED, now
    elif delivery.attempts_made > len(DELAYS):
        delivery.status, delivery.ended_at = DeliveryStatus.FAILED, now
    else:
        delivery.next_attempt_at = from_now(jittered(DELAYS[delivery.attempts_made - 1], JITTER))


def _record_health(endpoint: WebhookEndpoint, outcome: Outcome) -> None:
    if outcome.delivered:
        endpoint.failures, endpoint.failing_since, endpoint.paused_until = 0, None, None
        endpoint.health = Health.POOR if outcome.duration_ms >= SLOW_MS else Health.GOOD
    else:
        now = database_clock.now()
        endpoint.failures += 1
        endpoint.failing_since = endpoint.failing_since or now
        endpoint.health, beyond = Health.POOR, endpoint.failures - FAILURES_BEFORE_REST
        endpoint.paused_until = from_now(REST.delay(beyond + 1)) if beyond >= 0 else None
    endpoint.save(update_fields=["failures", "failing_since", "health", "paused_until"])
    if outcome.status_code == 410:
        _switch_off(endpoint, SwitchedOff.GONE)
    elif endpoint.failing_since and endpoint.failing_since <= database_clock.now() - RETRY_PERIOD:
        _switch_off(endpoint, SwitchedOff.FAILING)


def _switch_off(endpoint: WebhookEndpoint, reason: SwitchedOff) -> None:
    off = {"enabled": False, "disabled_reason": reason, "disabled_at": database_clock.now(), "told_at": None}
    if WebhookEndpoint.objects.filter(pk=endpoint.pk, enabled=True).update(**off):
        logger.warning("webhook_endpoint_switched_off", endpoint_id=str(endpoint.pk), reason=reason.value)
        mail_owners_of_switched_off(endpoint.pk)


def sweep_deliveries() -> None:
    """Enqueue due deliveries and those of dead workers; end those past `GIVE_UP_AFTER`.

    Owners are mailed in the transaction that switches an endpoint off; the previous release mailed them afterwards.
    """
    for endpoint_id in Delivery.objects.endpoints_to_serve(MAX_ENDPOINTS_PER_SWEEP):
        enqueue_delivery(endpoint_id)
    _late().update(status=DeliveryStatus.FAILED, ended_at=Now())
    leasing.sweep(_untold(), jobs.SEND_ENDPOINT_OFF_EMAIL, most=MAX_ENDPOINTS_PER_SWEEP)


def has_work() -> bool:
    """Whether a sweep would find anything. For beat."""
    return any(rows.order_by().exists() for rows in (Delivery.objects.due(), _late(), _untold()))


def _late() -> QuerySet[Any]:
    return Delivery.objects.pending().filter(created_at__lt=from_now(-GIVE_UP_AFTER), urgent=False)


def _untold() -> QuerySet[Any]:
    untold = WebhookEndpoint.objects.filter(deleted_at=None, told_at=None, disabled_at__lt=from_now(-TELL_AGAIN_AFTER))
    return untold.exclude(disabled_reason="")


@transaction.atomic
def mail_owners_of_switched_off(endpoint_id: UUID) -> None:
    untold = WebhookEndpoint.objects.filter(pk=endpoint_id, told_at=None).exclude(disabled_reason="")
    if untold.update(told_at=database_clock.now()):
        account_id = WebhookEndpoint.objects.values_list("account", flat=True).get(pk=endpoint_id)
        outbox.write(MailKind.ENDPOINT_OFF, account=account_id, endpoint=str(endpoint_id))
