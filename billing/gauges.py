"""Gauges of `/metrics` about payments, read on demand with three queries."""

from collections.abc import Iterable, Iterator

import structlog
from django.db.models import Count, Min, Q
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from billing.models import LedgerProof, StripeSync
from genvid import database_clock
from genvid.mail.models import QueuedMail

logger = structlog.get_logger(__name__)


class MoneyGauges(Collector):
    """Omitted while the database does not answer; `genvid_gauges_readable` says so."""

    def collect(self) -> Iterable[Metric]:
        try:
            return list(read_gauges())
        except Exception as error:  # noqa: BLE001 - a failure here must not hide the other series
            logger.error("gauges_not_read", error=repr(error))
            return []


def read_gauges() -> Iterator[Metric]:
    now = database_clock.now()
    due, stuck = Q(due_at__lte=now), Q(due_at=None) & ~Q(error="")
    found = StripeSync.objects.aggregate(
        due=Count("pk", filter=due), stuck=Count("pk", filter=stuck), since=Min("due_at")
    )
    late = max(0.0, (now - found["since"]).total_seconds()) if found["since"] else 0.0
    yield _gauge("genvid_stripe_looks_due", "Stripe objects that are due to be read again.", found["due"])
    yield _gauge("genvid_stripe_looks_late_seconds", "Seconds since the oldest of them was due.", late)
    yield _gauge("genvid_stripe_looks_stuck", "Syncs of Stripe objects that failed for good.", found["stuck"])
    mails = QueuedMail.objects.unsent().filter(kind__startswith="billing.").count()
    yield _gauge("genvid_letters_due", "Mails about money that are not sent yet.", mails)
    if proof := LedgerProof.objects.order_by("-id").first():
        age = (now - proof.begun_at).total_seconds()
        yield _gauge("genvid_ledger_proof_age_seconds", "Seconds since the ledger was proved last.", age)
        yield _gauge("genvid_ledger_proof_seconds", "How long that took.", proof.seconds)
        yield _gauge("genvid_ledger_discrepancies", "What that proof found wrong.", proof.discrepancies)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=float(value))
