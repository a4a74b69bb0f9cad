"""Runs the steps of the pipeline against the sandbox in the test's own thread, without workers."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.utils import timezone

from avatars.catalogue_sync import sync_catalogue
from avatars.models import Avatar
from billing.enums import EntryKind, HoldStatus
from billing.models import Hold, LedgerEntry
from genvid.heygen.heygen_client import get_client
from genvid.sandbox.process import SandboxProcess
from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import SCRIPT, Person
from videos.enums import WAITING, Status
from videos.lifecycle import video_actions
from videos.models import ProviderState, Video, WebhookDelivery
from videos.pipeline import incoming_webhooks, polling, scheduler, storage, submission, sweeper
from videos.provider import provider_gate
from videos.queue import queue_positions, queue_snapshot
from videos.video_request import VideoRequest

DEADLINE_SECONDS = 900.0


@dataclass(frozen=True)
class Money:
    """Credits of an account. `charges` counts the ledger entries that paid for videos."""

    balance: int
    held: int = 0
    holds: int = 0
    charges: int = 0


def money_of(person: Person) -> Money:
    """The account's credits; asserts that the ledger has no discrepancy."""
    assert the_ledger_proves()
    wallet = person.wallet
    return Money(
        balance=wallet.balance,
        held=wallet.held,
        holds=Hold.objects.filter(wallet=wallet, status=HoldStatus.OPEN).count(),
        charges=LedgerEntry.objects.filter(wallet=wallet, kind=EntryKind.CHARGE).count(),
    )


def positions_now(videos: Iterable[Video]) -> dict[UUID, int]:
    """By a snapshot of this moment."""
    assert queue_snapshot.refresh()
    return {pk: each.position for pk, each in queue_positions.queue_positions_of(videos).found.items()}


class Pipeline:
    """The work of beat, broker and workers, in one thread."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        sync_catalogue(get_client())
        self.avatar = Avatar.objects.filter(kind="studio_avatar", is_available=True).order_by("pk").first()

    def order(self, person: Person, script: str = SCRIPT, **fields: Any) -> Video:
        given = {"script": script, "avatar_id": self.avatar.pk, "resolution": "720p"} | fields
        return video_actions.create_video(person.caller, VideoRequest(**given))

    def dispatch(self) -> int:
        return scheduler.hand_out_slots()

    def submit(self, video: Video) -> Video:
        """Hand out slots and send this video's order, whenever it is due."""
        self.dispatch()
        self.make_due(video)
        submission.submit_video(str(video.pk))
        return fresh(video)

    def poll(self, video: Video) -> Video:
        self.make_due(video)
        polling.poll_due()
        return fresh(video)

    def store(self, video: Video) -> Video:
        self.make_due(video)
        storage.store_video(str(video.pk))
        return fresh(video)

    def tick(self) -> None:
        """Run the schedule once, as if every wait but the gate's had just ended."""
        self.dispatch()
        scheduler.hand_out_test_slots()
        Video.objects.filter(status__in=WAITING, due_at__isnull=False).update(due_at=timezone.now())
        for pk in Video.objects.filter(status=Status.SUBMITTING).values_list("pk", flat=True):
            submission.submit_video(str(pk))
        polling.poll_due()
        polling.poll_tests()
        for pk in Video.objects.filter(status=Status.STORING).values_list("pk", flat=True):
            storage.store_video(str(pk))
        for pk in WebhookDelivery.objects.filter(processed_at=None).values_list("pk", flat=True):
            incoming_webhooks.process_delivery(pk)
        sweeper.sweep_all()

    def run(self, video: Video, *until: str, seconds: float = DEADLINE_SECONDS) -> Video:
        """Tick until `video` has one of these statuses, `completed` unless named."""
        wanted = until or (Status.COMPLETED,)

        def reached() -> bool:
            self.tick()
            return fresh(video).status in wanted

        wait_until(reached, seconds=seconds, why=lambda: describe(video))
        return fresh(video)

    def finish_render(self, video: Video) -> Video:
        """Submit, and wait until the render has ended at the sandbox; the row still says `rendering`."""
        video = self.submit(video)
        assert video.status == Status.RENDERING, describe(video)
        wait_until(lambda: self.remote_render(video)["status"] in ("completed", "failed"))
        return video

    def reach_storing(self, video: Video) -> Video:
        video = self.poll(self.finish_render(video))
        assert video.status == Status.STORING, describe(video)
        return video

    def remote_renders(self, video: Video) -> list[dict[str, Any]]:
        """The renders that the sandbox has of this video, oldest first."""
        return [row for row in self.sandbox.records()["videos"] if row["callback_id"] == str(video.pk)]

    def remote_render(self, video: Video) -> dict[str, Any]:
        """The only render that the sandbox has of this video."""
        (row,) = self.remote_renders(video)
        return row

    def count_renders(self, video: Video) -> int:
        return len(self.remote_renders(video))

    def file_at_provider(self, video: Video, suffix: str) -> Path:
        folder = self.sandbox.folder / "sandbox" / "files" / "videos" / str(fresh(video).provider_video_id)
        (file,) = folder.rglob(f"*{suffix}")
        return file

    def make_due(self, video: Video) -> None:
        Video.objects.filter(pk=video.pk, due_at__isnull=False).update(due_at=timezone.now())

    def expire_deadline(self, video: Video) -> None:
        """Set the deadline of the video's status to now."""
        changed = Video.objects.filter(pk=video.pk, deadline_at__isnull=False)
        assert changed.update(deadline_at=timezone.now()) == 1

    def backdate_order(self, video: Video, seconds: float) -> None:
        """Set the time of the order to so many seconds ago."""
        moment = timezone.now() - timedelta(seconds=seconds)
        Video.objects.filter(pk=video.pk).update(submitted_at=moment, moved_at=moment)

    def end_gate_wait(self) -> None:
        """Set the end of the gate's wait to now."""
        ProviderState.objects.filter(closed_until__isnull=False).update(closed_until=timezone.now())


def gate() -> ProviderState:
    state, _ = ProviderState.objects.get_or_create(name=provider_gate.NAME)
    return state


def gate_seconds() -> float:
    """Seconds for which the gate hands out no slot."""
    until = gate().closed_until
    return max(0.0, (until - timezone.now()).total_seconds()) if until else 0.0


def fresh(video: Video) -> Video:
    return Video.objects.get(pk=video.pk)


def history(video: Video) -> list[tuple[str, str, str]]:
    """Every move: from, to, reason."""
    events = video.events.order_by("created_at", "id")
    return [(event.from_status, event.to_status, event.reason) for event in events]


def describe(video: Video) -> str:
    now = fresh(video)
    return f"{now.status}: {now.waiting_reason or now.provider_error}"


def wait_until(
    condition: Callable[[], bool], *, seconds: float = DEADLINE_SECONDS, why: Callable[[], str] = str
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s; {why()}"
        time.sleep(0.01)


CREATE = {"method": "POST", "path": "/v3/videos"}
UNTOUCHED = Money(balance=30)
"""The credits of a new account, none held."""


def charged_once(person, video) -> bool:
    video = fresh(video)
    return money_of(person) == Money(balance=30 - video.credits_charged, charges=1) and video.credits_charged > 0


def still_held(person, video) -> bool:
    return money_of(person) == Money(balance=30, held=fresh(video).credits_held, holds=1)


def outcome_of(video) -> tuple[str, str, bool]:
    video = fresh(video)
    return video.status, video.error_code, video.error_retryable


def stored_files(video: Video) -> list[str]:
    folder = f"videos/{video.account_id}/{video.pk}"
    if not default_storage.exists(folder):
        return []
    return sorted(default_storage.listdir(folder)[1])


def use_storage(settings, name: str) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": settings.STORAGES["default"] | {"BACKEND": f"videos.tests.doubles.{name}"}
    }
