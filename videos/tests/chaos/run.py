"""A chaos run: orders during the storm, then no faults until all has ended, then the check."""

import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.models import QuerySet

from avatars.catalogue_sync import sync_catalogue
from avatars.enums import PENDING, EntryStatus
from avatars.models import Avatar, Creation, Upload
from avatars.own.orphans import remove_orphans
from billing.enums import HoldStatus
from billing.models import Hold, Tier
from genvid.heygen import gate
from genvid.heygen.heygen_client import get_client
from genvid.tests.deployment import Deployment
from genvid.tests.processes import WorkerProcess
from videos.enums import TERMINAL, SpeechStatus
from videos.models import Speech, Video
from videos.tests.chaos import report
from videos.tests.chaos.customers import Customers
from videos.tests.chaos.evidence import Evidence
from videos.tests.chaos.fault_injector import FaultInjector
from videos.tests.chaos.invariants import InvariantCheck, describe
from videos.tests.chaos.own_invariants import CreationCheck, describe_creation
from videos.tests.chaos.plan import FAULTS, FREE_SPEECH_SECONDS, NO_FAULTS, WALLET_DOLLARS, Plan
from videos.tests.chaos.speech_invariants import SpeechCheck
from videos.tests.chaos.upload_invariants import UploadCheck

ENDED_SHARE = 0.85
"""The storm ends when this share of the videos has ended."""
CHECK_INTERVAL = 1.0
MAX_SHOWN = 40
TIERS = {
    "own_avatars": 5,
    "own_voices": 5,
    "free_speech_seconds": FREE_SPEECH_SECONDS,
    "requests_per_minute": 10_000,
}
OWN_QUEUES = {3: "speech,files"}
"""What some workers serve alone, as a speaker does in production; all others serve all."""
CHECKS = (InvariantCheck, CreationCheck, UploadCheck, SpeechCheck)


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
    Tier.objects.update(**TIERS)
    deployment.sandbox.configure(seed=plan.seed, consent_by_itself=False, **FAULTS)
    # Every second worker runs beat, so that the schedule goes on while any of them lives.
    deployment.launch_workers(
        WorkerProcess(
            deployment.folder,
            name=f"worker{number}",
            beat=number % 2 == 0,
            queues=OWN_QUEUES.get(number, ""),
            app="videos.tests.chaos.hasty_worker",
        )
        for number in range(plan.workers)
    )


def _storm(plan: Plan, customers: Customers, injector: FaultInjector) -> None:
    checked_at = 0.0
    while injector.seconds < plan.max_storm_seconds:
        injector.work()
        if injector.seconds - checked_at > CHECK_INTERVAL:
            checked_at = injector.seconds
            # Asked in any case: that renews the connection of this process after PostgreSQL was stopped.
            ended = _ended_share()
            enough = customers.all_ordered and ended >= ENDED_SHARE
            if enough and injector.seconds > plan.min_storm_seconds:
                return


def _settle(plan: Plan, customers: Customers, injector: FaultInjector) -> None:
    """Wait until everything has ended, at most `patience` seconds."""
    until = time.monotonic() + plan.patience
    connection.close()
    while time.monotonic() < until:
        injector.work()
        if customers.all_done and gate.is_open() and not any(rows.exists() for rows in _open_work(customers)):
            break
    # What both do every day.
    remove_orphans()
    sync_catalogue(get_client())


def _open_work(customers: Customers) -> list[QuerySet[Any]]:
    """What has not ended, but for avatars whose person never agrees."""
    unanswered = {name for each in customers.customers for name in each.material.unanswered}
    waits = Creation.objects.filter(
        status=EntryStatus.WAITING_FOR_CONSENT, avatar__name__in=unanswered, deleted_at=None
    )
    references = [creation.money_reference for creation in waits]
    pending = Creation.objects.filter(status__in=PENDING, deleted_at=None)
    return [
        Video.objects.exclude(status__in=TERMINAL),
        Video.objects.filter(deleted_at__isnull=False, purged_at=None),
        pending.exclude(pk__in=waits.values("pk")),
        Creation.objects.exclude(status=EntryStatus.WAITING_FOR_CONSENT).exclude(due_at=None),
        Speech.objects.filter(status=SpeechStatus.CREATING),
        Upload.objects.exclude(due_at=None),
        Hold.objects.filter(status=HoldStatus.OPEN).exclude(reference__in=references),
    ]


def _ended_share() -> float:
    """Of the videos; 0 while the database is down."""
    try:
        return Video.objects.filter(status__in=TERMINAL).count() / max(1, Video.objects.count())
    except DatabaseError:
        connection.close()
        return 0.0


def _report(plan: Plan, deployment: Deployment, customers: Customers, injector: FaultInjector) -> bool:
    sandbox_state = deployment.sandbox.renders()
    for line in report.printed(report.sections(injector.counts, customers.counts(), sandbox_state, deployment.logs())):
        say(line)
    stuck = list(Video.objects.exclude(status__in=TERMINAL))
    for video in stuck[:MAX_SHOWN]:
        say(f"STUCK {describe(video)}")
    for creation in [each for each in Creation.objects.all() if each.due_at is not None][:MAX_SHOWN]:
        say(f"OPEN {describe_creation(creation)}")
    evidence = Evidence(customers.customers, sandbox_state["renders"], deployment.sandbox.made_objects())
    broken = [*injector.accepted_forgeries, *(what for check in CHECKS for what in check(evidence).violations())]
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
