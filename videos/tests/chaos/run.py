"""A chaos run: orders during the storm, then no faults until all has ended, then the check."""

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
from genvid.tests import heygen_assets
from genvid.tests.deployment import Deployment
from genvid.tests.processes import WorkerProcess
from videos.enums import TERMINAL
from videos.models import Video
from videos.tests.chaos import report
from videos.tests.chaos.customers import Customers
from videos.tests.chaos.fault_injector import FaultInjector
from videos.tests.chaos.invariants import InvariantCheck, describe
from videos.tests.chaos.plan import FAULTS, NO_FAULTS, WALLET_DOLLARS, Plan

ENDED_SHARE = 0.85
"""The storm ends when this share of the videos has ended."""
CHECK_INTERVAL = 1.0
MAX_SHOWN = 40


def run(plan: Plan, deployment: Deployment) -> bool:
    """Whether any invariant was broken; prints the evidence."""
    _prepare(plan, deployment)
    avatar = Avatar.objects.filter(kind="studio_avatar", is_available=True).order_by("pk").first()
    assert avatar is not None
    customers = Customers(plan, deployment.web.url, avatar)
    injector = FaultInjector(plan, deployment)
    begun = time.monotonic()
    customers.start()
    injector.begin()
    _storm(plan, customers, injector)
    storm_seconds = time.monotonic() - begun
    injector.end()
    deployment.sandbox.configure(**NO_FAULTS)
    _settle(plan, customers, injector)
    customers.stop()
    say(f"chaos: ordered in {customers.ordered_in or 0:.0f} s, storm {storm_seconds:.0f} s, ", end="")
    say(f"all over after {time.monotonic() - begun:.0f} s")
    return _report(plan, deployment, customers, injector)


def _prepare(plan: Plan, deployment: Deployment) -> None:
    deployment.sandbox.wallet(WALLET_DOLLARS)
    sync_catalogue(get_client())
    call_command("register_heygen_webhook", stdout=StringIO())
    deployment.sandbox.configure(seed=plan.seed, **FAULTS)
    # Every second worker runs beat, so that the schedule goes on while any of them lives.
    deployment.launch_workers(
        WorkerProcess(deployment.folder, name=f"worker{number}", beat=number % 2 == 0) for number in range(plan.workers)
    )


def _storm(plan: Plan, customers: Customers, injector: FaultInjector) -> None:
    checked_at = 0.0
    while injector.seconds < plan.max_storm_seconds:
        injector.work()
        if injector.seconds - checked_at > CHECK_INTERVAL:
            checked_at = injector.seconds
            ended = _ended()
            enough = customers.all_ordered and ended >= plan.videos * ENDED_SHARE
            if enough and injector.seconds > plan.min_storm_seconds:
                return


def _settle(plan: Plan, customers: Customers, injector: FaultInjector) -> None:
    """Wait until everything has ended, at most `patience` seconds."""
    until = time.monotonic() + plan.patience
    while time.monotonic() < until:
        injector.work()
        unpurged = Video.objects.filter(deleted_at__isnull=False, purged_at=None)
        open_ones = [Video.objects.exclude(status__in=TERMINAL), Hold.objects.filter(status=HoldStatus.OPEN), unpurged]
        if customers.all_done and not any(rows.exists() for rows in open_ones):
            return


def _ended() -> int:
    """The number of ended videos; 0 while the database is down."""
    try:
        return Video.objects.filter(status__in=TERMINAL).count()
    except DatabaseError:
        connection.close()
        return 0


def _report(plan: Plan, deployment: Deployment, customers: Customers, injector: FaultInjector) -> bool:
    sandbox_state = deployment.sandbox.renders()
    for line in report.printed(report.sections(injector.counts, customers.counts(), sandbox_state, deployment.logs())):
        say(line)
    stuck = list(Video.objects.exclude(status__in=TERMINAL))
    for video in stuck[:MAX_SHOWN]:
        say(f"STUCK {describe(video)}")
    assets = [asset["id"] for asset in heygen_assets.listed(deployment.sandbox)]
    check = InvariantCheck(customers.customers, sandbox_state["renders"], assets)
    broken = [*injector.accepted_forgeries, *check.violations()]
    for line in _violation_lines(broken):
        say(line)
    say(f"chaos: SEED={plan.seed} " + (f"FAILED, {len(broken)} violations" if broken else "passed"))
    return bool(broken)


def _violation_lines(broken: list[str]) -> Iterator[str]:
    yield from (f"VIOLATION {what}" for what in broken[:MAX_SHOWN])
    if len(broken) > MAX_SHOWN:
        yield f"and {len(broken) - MAX_SHOWN} more"


def say(line: str, end: str = "\n") -> None:
    print(line, end=end, flush=True)  # noqa: T201
