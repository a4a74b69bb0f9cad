"""What the order of the queue follows from, read in one statement each second beside the snapshot as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject, Now

from genvid import database_clock
from genvid.compiled_queries import CompiledQuery
from videos.enums import IN_FLIGHT, Status
from videos.models import ProviderState, QueueSnapshot, Video
from videos.provider import provider_gate
from videos.provider.gate_decisions import Gate
from videos.querysets import in_statuses

ROW = 1
RECOMPUTE_SECONDS = 5
"""Plans, and renders that are no longer recent, change the order without a trace in what is compared each second."""
WRITTEN = ("version", "fingerprint", "is_shut", "usable_slots", "free_slots")
AGE = ExpressionWrapper(Now() - F("computed_at"), DurationField())
NOTHING = {"queued": 0, "aside": 0, "flying": 0, "stuck": 0, "moved": None}


@dataclass(frozen=True)
class Slots:
    """HeyGen's slots: `usable` without stuck renders, `free` of these not taken."""

    is_shut: bool
    usable: int
    free: int


@dataclass(frozen=True)
class Written:
    """What the row says: of what it was computed, when, and about the slots."""

    version: int
    fingerprint: str
    age: timedelta
    slots: Slots


@dataclass(frozen=True)
class Facts:
    """`fingerprint`: changes with the order of the queue. `is_idle`: nothing waits, and nothing is in flight."""

    slots: Slots
    fingerprint: str
    is_idle: bool
    written: Written | None
    """None before the first snapshot."""


def facts_query(now: Any) -> QuerySet[Any, tuple[Any, ...]]:
    """The gate, counts of what waits and is in flight, and what the snapshot says."""
    flies = Q(status__in=IN_FLIGHT)
    counts = {
        "queued": Count("pk", filter=~flies),
        "aside": Count("pk", filter=~flies & Q(set_aside_at__isnull=False)),
        "flying": Count("pk", filter=flies),
        "stuck": Count("pk", filter=flies & Q(stuck_at__lte=now)),
        "moved": Max("moved_at"),
    }
    found = Video.objects.live().filter(in_statuses({Status.QUEUED, *IN_FLIGHT})).order_by()
    counted = found.annotate(all=Value(1)).values("all").annotate(counts=JSONObject(**counts)).values("counts")
    row = QueueSnapshot.objects.filter(pk=ROW)
    written = {f"written_{name}": Subquery(row.values(name)) for name in WRITTEN}
    age = {"written_age": Subquery(row.annotate(age=AGE).values("age"))}
    gate = ProviderState.objects.filter(name=provider_gate.NAME).order_by()
    columns = gate.annotate(counts=Subquery(counted), **written, **age)
    return columns.values_list(*provider_gate.COLUMNS, "counts", *written, *age)


_FACTS = CompiledQuery(facts_query)


def read_facts() -> Facts:
    """One statement, but for the first time ever."""
    now = database_clock.now()
    rows = _FACTS.rows(now=now)
    if not rows:
        provider_gate.read_or_make_state()
        rows = _FACTS.rows(now=now)
    size = len(provider_gate.COLUMNS)
    gate, (counts, *written) = provider_gate.gate_of_columns(rows[0][:size]), rows[0][size:]
    return _facts_of(gate, counts or NOTHING, now, _written(*written))


def _facts_of(gate: Gate, counts: Mapping[str, Any], now: datetime, written: Written | None) -> Facts:
    limit = gate.limit(now)
    is_shut = gate.needs_staff or gate.is_shut(now)
    slots = Slots(is_shut, limit - counts["stuck"], limit - counts["flying"])
    is_idle = counts["queued"] == counts["flying"] == 0
    period = 0 if is_idle else int(now.timestamp()) // RECOMPUTE_SECONDS
    fingerprint = " ".join(str(each) for each in (*(counts[name] for name in NOTHING), period))
    return Facts(slots, fingerprint, is_idle, written)


def _written(version: int | None, fingerprint: str, *slots_and_age: Any) -> Written | None:
    *slots, age = slots_and_age
    return None if version is None else Written(version, fingerprint, age, Slots(*slots))
