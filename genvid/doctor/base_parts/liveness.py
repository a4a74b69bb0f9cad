"""Beat and the queues: whether somebody ticks and somebody consumes."""

from collections.abc import Iterator

from genvid.doctor import signs_of_life
from genvid.doctor.checks import Finding, check, failed, ok

MOST_SECONDS = 30.0


@check("beat", seconds=12, advice="It cannot be told without the database.")
def ask_beat() -> Iterator[Finding]:
    age = signs_of_life.beat_age()
    if age is None or age > MOST_SECONDS:
        when = "never" if age is None else f"{age:.0f} s ago"
        advice = "Start beat (exactly one) and a worker of the queue `ticks`."
        yield failed(f"the last tick was worked off {when}", advice)
    else:
        yield ok(f"the last tick was worked off {age:.0f} s ago")


@check("queues", seconds=15, advice="They cannot be told without the broker.")
def ask_queues() -> Iterator[Finding]:
    served = signs_of_life.served_queues()
    silent = sorted(name for name, is_served in served.items() if not is_served)
    if silent:
        yield failed(f"nobody consumes {', '.join(silent)}", "Start a worker with -Q for them, or one without -Q.")
    else:
        yield ok(f"consumed: {', '.join(sorted(served))}")
