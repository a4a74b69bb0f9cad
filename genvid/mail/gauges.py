"""Gauges of the outbox for `/metrics`: one query per scrape."""

from collections.abc import Iterable, Iterator

import structlog
from django.db.models import Count, DurationField, F, Max, Q
from django.db.models.functions import Now
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from genvid.mail.models import QueuedMail

logger = structlog.get_logger(__name__)


class MailGauges(Collector):
    """Left out while the database does not answer; `genvid_gauges_readable` says so."""

    def collect(self) -> Iterable[Metric]:
        try:
            return list(read_gauges())
        except Exception as error:  # noqa: BLE001 - whatever fails here, the other series are still worth showing
            logger.error("gauges_not_read", error=repr(error))
            return []


def read_gauges() -> Iterator[Metric]:
    unsent = Q(due_at__isnull=False)
    found = QueuedMail.objects.aggregate(
        unsent=Count("pk", filter=unsent),
        given_up=Count("pk", filter=Q(given_up_at__isnull=False)),
        age=Max(Now() - F("created_at"), filter=unsent, output_field=DurationField()),
    )
    age = max(0.0, found["age"].total_seconds()) if found["age"] else 0.0
    yield _gauge("genvid_mail_unsent", "Mails that are still to be sent.", found["unsent"])
    yield _gauge("genvid_mail_oldest_seconds", "How long ago the oldest of them was written.", age)
    yield _gauge("genvid_mail_given_up", "Mails that could not be sent in a day, of the last 30.", found["given_up"])


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=float(value))
