"""The run: orders and storm together, then peace, then the verdict."""

import time
from collections.abc import Iterator
from io import StringIO

from django.core.management import call_command
from django.db import DatabaseError, connection

from avatars.catalogue_sync import sync_catalogue
from avatars.models import Avatar
from billing.enums import HoldStatus
from billing.models import Hold
from genvid.heygen.heygen_client import get_client
from genvid.tests.deployment import Deployment
from genvid.tests.processes import WorkerProcess
from videos.enums import TERMINAL
from videos.models import Video
from videos.tests.chaos import report
from videos.tests.chaos.customers import Crowd
from videos.tests.chaos.mayhem import Mayhem
from videos.tests.chaos.plan import FAULTS, PEACE, WALLET_DOLLARS, Plan
from videos.tests.chaos.verdict import Verdict, describe

ENOUGH = 0.85
"""The storm ends when this share of the videos has ended under fire."""
LOOK_EVERY = 1.0
MOST_SHOWN = 40


def play(plan: Plan, deployment: Deployment) -> bool:
    """Whether any promise was broken; the evidence is printed."""
    _prepare(plan, deployment)
    avatar = Avatar.objects.filter(kind="studio_avatar", is_available=True).order_by("pk").first()
    assert avatar is not None
    crowd = Crowd(plan, deployment.web.url, str(avatar.pk))
    mayhem = Mayhem(plan, deployment)
    begun = time.monotonic()
    crowd.start()
    mayhem.begin()
    _storm(plan, crowd, mayhem)
    stormed = time.monotonic() - begun
    mayhem.end()
    deployment.sandbox.configure(**PEACE)
    _settle(plan, crowd, mayhem)
    crowd.go_home()
    say(f"chaos: ordered in {crowd.ordered_in or 0:.0f} s, storm {stormed:.0f} s, ", end="")
    say(f"all over after {time.monotonic() - begun:.0f} s")
    return _judge(plan, deployment, crowd, mayhem)


def _prepare(plan: Plan, deployment: Deployment) -> None:
    deployment.sandbox.wallet(WALLET_DOLLARS)
    sync_catalogue(get_client())
    call_command("register_heygen_webhook", stdout=StringIO())
    deployment.sandbox.configure(seed=plan.seed, **FAULTS)
    # Every second one runs a beat of its own: while any of them lives the clock goes on.
    deployment.launch_workers(
        WorkerProcess(deployment.folder, name=f"worker{number}", beat=number % 2 == 0) for number in range(plan.workers)
    )


def _storm(plan: Plan, crowd: Crowd, mayhem: Mayhem) -> None:
    looked = 0.0
    while mayhem.seconds < plan.longest_fire:
        mayhem.work()
        if mayhem.seconds - looked > LOOK_EVERY:
            looked = mayhem.seconds
            ended = _ended()
            enough = crowd.all_ordered and ended >= plan.videos * ENOUGH
            if enough and mayhem.seconds > plan.shortest_fire:
                return


def _settle(plan: Plan, crowd: Crowd, mayhem: Mayhem) -> None:
    """Peace: wait until everything has ended, for `patience` at most."""
    until = time.monotonic() + plan.patience
    while time.monotonic() < until:
        mayhem.work()
        unpurged = Video.objects.filter(deleted_at__isnull=False, purged_at=None)
        open_ones = [Video.objects.exclude(status__in=TERMINAL), Hold.objects.filter(status=HoldStatus.OPEN), unpurged]
        if crowd.all_done and not any(rows.exists() for rows in open_ones):
            return


def _ended() -> int:
    """How many videos have; none, as far as can be known, while the database is down."""
    try:
        return Video.objects.filter(status__in=TERMINAL).count()
    except DatabaseError:
        connection.close()
        return 0


def _judge(plan: Plan, deployment: Deployment, crowd: Crowd, mayhem: Mayhem) -> bool:
    books = deployment.sandbox.renders()
    for line in report.printed(report.sections(mayhem.counts, crowd.counts(), books, deployment.logs())):
        say(line)
    stuck = list(Video.objects.exclude(status__in=TERMINAL))
    for video in stuck[:MOST_SHOWN]:
        say(f"STUCK {describe(video)}")
    broken = [*mayhem.unpunished, *Verdict(crowd.customers, books["renders"]).violations()]
    for line in _shown(broken):
        say(line)
    say(f"chaos: SEED={plan.seed} " + (f"FAILED, {len(broken)} violations" if broken else "passed"))
    return bool(broken)


def _shown(broken: list[str]) -> Iterator[str]:
    yield from (f"VIOLATION {what}" for what in broken[:MOST_SHOWN])
    if len(broken) > MOST_SHOWN:
        yield f"and {len(broken) - MOST_SHOWN} more"


def say(line: str, end: str = "\n") -> None:
    print(line, end=end, flush=True)  # noqa: T201
