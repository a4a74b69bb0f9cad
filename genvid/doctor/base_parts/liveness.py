"""Beat and the queues, by their heartbeats."""

from collections.abc import Iterator

from genvid.doctor.checks import Finding, check, failed, ok
from genvid.heartbeats import status
from genvid.heartbeats.models import BEAT, Heartbeat


@check("beat", seconds=12, advice="It cannot be told without the database.")
def ask_beat() -> Iterator[Finding]:
    row = Heartbeat.objects.filter(name=BEAT, beat_at__isnull=False).with_now().first()
    advice = "Start beat: exactly one."
    if row is None:
        yield failed("has never given a heartbeat", advice)
        return
    silence = row.silence(row.now)
    said = f"the last heartbeat was {max(silence.total_seconds(), 0.0):.0f} s ago"
    yield ok(said) if silence <= status.limit_of(BEAT) else failed(said, advice)


@check("queues", seconds=15, advice="They cannot be told without the database.")
def ask_queues() -> Iterator[Finding]:
    """A dead beat asks no queue: then the part `beat` has failed."""
    rows = {row.name: row for row in Heartbeat.objects.with_now()}
    names = status.queue_names()
    silent = [name for name in names if name not in rows or rows[name].silence(rows[name].now) > status.limit_of(name)]
    if silent:
        advice = "Start a worker with -Q for them, or one without -Q; one that runs may have all its threads hanging."
        yield failed(f"no heartbeat from {', '.join(silent)}", advice)
    else:
        yield ok(f"heartbeats from {', '.join(names)}")
