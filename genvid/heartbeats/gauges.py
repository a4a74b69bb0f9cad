"""Gauges of beat and the queues for `/metrics`: one query and one trip to Redis per scrape."""

from collections.abc import Callable, Iterable, Iterator

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from genvid.heartbeats.models import Heartbeat
from genvid.heartbeats.queue_lengths import read_queue_lengths
from genvid.heartbeats.status import part_names, queue_names

logger = structlog.get_logger(__name__)


class HeartbeatGauges(Collector):
    """Those of the database or of the broker are left out while it does not answer."""

    def collect(self) -> Iterable[Metric]:
        return [*_readable(heartbeats), *_readable(queue_lengths)]


def _readable(read: Callable[[], Iterator[Metric]]) -> list[Metric]:
    try:
        return list(read())
    except Exception as error:  # noqa: BLE001 - whatever fails here, the other series are still worth showing
        logger.error("gauges_not_read", error=repr(error))
        return []


def heartbeats() -> Iterator[Metric]:
    age = GaugeMetricFamily(
        "genvid_heartbeat_seconds",
        "How long ago beat and each queue gave a heartbeat, or were first asked for one.",
        labels=["part"],
    )
    skew = GaugeMetricFamily(
        "genvid_part_clock_skew_seconds",
        "How far the clock of the machine that gave the heartbeat is ahead of the database's.",
        labels=["part", "host"],
    )
    names = set(part_names())
    for row in (row for row in Heartbeat.objects.with_now() if row.name in names):
        # A queue that nobody has ever served is silent as well.
        since = row.beat_at or row.asked_at
        if since:
            age.add_metric([row.name], max(0.0, (row.now - since).total_seconds()))
        if row.clock_ahead is not None:
            skew.add_metric([row.name, row.host], row.clock_ahead.total_seconds())
    yield from (age, skew)


def queue_lengths() -> Iterator[Metric]:
    depth = GaugeMetricFamily("genvid_queue_messages", "Messages that wait in a queue.", labels=["queue"])
    oldest = GaugeMetricFamily(
        "genvid_queue_oldest_seconds", "How long the oldest of them has waited (Redis).", labels=["queue"]
    )
    for name, length in read_queue_lengths(queue_names()).items():
        depth.add_metric([name], length.messages)
        if length.oldest_seconds is not None:
            oldest.add_metric([name], length.oldest_seconds)
    yield from (depth, oldest)
