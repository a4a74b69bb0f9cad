"""Gauges of `/metrics` about own avatars and voices, read on demand with one query."""

from collections.abc import Iterable

import structlog
from django.db.models import Count, Min
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from avatars.enums import PENDING, EntryStatus
from avatars.models import Creation
from genvid import database_clock

logger = structlog.get_logger(__name__)
FLOW = [status for status in EntryStatus if status in PENDING]


class CreationGauges(Collector):
    """Omitted while the database does not answer; `genvid_gauges_readable` tells."""

    def collect(self) -> Iterable[Metric]:
        try:
            return read_gauges()
        except Exception as error:  # noqa: BLE001 - whatever fails here, the other series are still worth showing
            logger.error("gauges_not_read", error=repr(error))
            return []


def read_gauges() -> list[Metric]:
    pending = Creation.objects.filter(status__in=FLOW, deleted_at=None, is_test=False).order_by().values_list("status")
    rows = {status: (count, since) for status, count, since in pending.annotate(Count("pk"), Min("moved_at"))}
    now = database_clock.now()
    counts = GaugeMetricFamily("genvid_creations", "Own avatars and voices that are not made yet.", labels=["status"])
    ages = GaugeMetricFamily("genvid_creation_oldest_seconds", "How long the oldest has its status.", labels=["status"])
    for status in FLOW:
        count, since = rows.get(status, (0, now))
        counts.add_metric([status], count)
        ages.add_metric([status], max(0.0, (now - since).total_seconds()))
    return [counts, ages]
