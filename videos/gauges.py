"""Gauges of `/metrics` about videos, read on demand with a fixed number of queries."""

from collections.abc import Generator, Iterable, Iterator
from datetime import datetime

import structlog
from django.conf import settings
from django.db.models import Count, Min
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from accounts.enums import DeliveryStatus
from accounts.models import Delivery
from billing import credits
from genvid import database_clock
from videos.enums import IN_FLIGHT, WAITING, SpeechStatus, Status
from videos.models import Speech, Video, WebhookDelivery
from videos.provider import balances, provider_gate
from videos.querysets import in_statuses
from videos.queue import queue_snapshot

logger = structlog.get_logger(__name__)
FLOW = [status for status in Status if status in WAITING]


class PipelineGauges(Collector):
    """Omitted while the database does not answer; the counters of the processes still show."""

    def collect(self) -> Iterable[Metric]:
        reads = True
        try:
            found = list(read_gauges(database_clock.now()))
        except Exception as error:  # noqa: BLE001 - whatever fails here, the counts are still worth showing
            logger.error("gauges_not_read", error=repr(error))
            found, reads = [], False
        return [*found, _gauge("genvid_gauges_readable", "0 while the database does not answer.", reads)]


def read_gauges(now: datetime) -> Iterator[Metric]:
    in_flight = yield from _videos(now)
    yield from _speeches(now)
    yield from _gate(now, in_flight)
    yield from _money()
    yield from _balance()
    skew = database_clock.measure()
    yield _gauge("genvid_clock_skew_seconds", "How far this machine's clock is ahead of the database's.", skew)
    age = queue_snapshot.age_seconds()
    if age is not None:
        yield _gauge("genvid_queue_snapshot_seconds", "Since when the order of the queue is not confirmed.", age)
    backlog = WebhookDelivery.objects.filter(processed_at=None).count()
    yield _gauge("genvid_webhook_backlog", "HeyGen's webhooks not processed yet.", backlog)
    unsent = Delivery.objects.filter(status=DeliveryStatus.PENDING, next_attempt_at__lte=now).count()
    yield _gauge("genvid_outbox_backlog", "Webhooks to clients that are due.", unsent)


def _videos(now: datetime) -> Generator[Metric, None, int]:
    waiting = Video.objects.live().filter(in_statuses(WAITING)).order_by().values_list("status")
    rows = {status: (count, since) for status, count, since in waiting.annotate(Count("pk"), Min("moved_at"))}
    counts = GaugeMetricFamily("genvid_videos", "Videos that are being made, by status.", labels=["status"])
    ages = GaugeMetricFamily("genvid_oldest_seconds", "How long the oldest has had its status.", labels=["status"])
    for status in FLOW:
        count, since = rows.get(status, (0, now))
        counts.add_metric([status], count)
        ages.add_metric([status], max(0.0, (now - since).total_seconds()))
    yield counts
    yield ages
    return sum(rows[status][0] for status in IN_FLIGHT if status in rows)


def _speeches(now: datetime) -> Iterator[Metric]:
    waiting = Speech.objects.filter(status=SpeechStatus.CREATING, due_at__isnull=False).order_by()
    row = waiting.aggregate(count=Count("pk"), since=Min("created_at"))
    age = max(0.0, (now - (row["since"] or now)).total_seconds())
    yield _gauge("genvid_speeches_waiting", "Texts that clients wait to hear.", row["count"])
    yield _gauge("genvid_speech_oldest_seconds", "How long the oldest of them has waited.", age)


def _gate(now: datetime, in_flight: int) -> Iterator[Metric]:
    state = provider_gate.read_state()
    gate = provider_gate.gate_of(state)
    yield _gauge("genvid_provider_unreachable", "1 while HeyGen answers no call.", state.unreachable_since is not None)
    yield _gauge("genvid_slots_used", "HeyGen's render slots that our orders occupy.", in_flight)
    yield _gauge("genvid_slots_limit", "Slots that are handed out at present.", gate.limit(now))
    yield _gauge("genvid_slots_max", "HEYGEN_MAX_CONCURRENT.", settings.HEYGEN_MAX_CONCURRENT)
    yield _gauge("genvid_gate_closed", "1 while HeyGen's own answers keep the gate closed.", gate.waits(now))
    yield _gauge("genvid_gate_paused", "1 while staff have paused orders.", gate.paused_at is not None)
    yield _gauge("genvid_gate_needs_staff", "1 while only staff can help.", gate.needs_staff)


def _money() -> Iterator[Metric]:
    held, overdrawn = credits.wallet_state()
    yield _gauge("genvid_credits_held", "Credits that videos hold, over all wallets.", held)
    yield _gauge("genvid_wallets_overdrawn", "Wallets that owe credits after a clawback.", overdrawn)


def _balance() -> Iterator[Metric]:
    recent = balances.recent_balances()
    if not recent:
        return
    left = GaugeMetricFamily("genvid_provider_balance", "What is left in the wallet at HeyGen.", labels=["currency"])
    left.add_metric([recent[-1].currency], float(recent[-1].remaining))
    yield left
    days = balances.days_left(recent)
    if days is not None:
        yield _gauge("genvid_provider_balance_days", "How many days it lasts, by the spending of the last days.", days)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=float(value))
