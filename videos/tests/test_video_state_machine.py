"""Property test: invariants of money, status and fairness after any sequence of events, answers and crashes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from billing.enums import EntryKind, HoldStatus
from billing.models import Hold, LedgerEntry, Tier, Wallet
from genvid.errors import InsufficientCredits, InvalidState
from genvid.heygen.heygen_types import RenderState, WebhookNotice
from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import Person, make_avatar, make_caller
from genvid.tests.properties import (
    Bundle,
    HealthCheck,
    Phase,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
    st,
)
from genvid.tests.properties import settings as trials
from videos import settlement
from videos.enums import IN_FLIGHT, SOURCES, TERMINAL, WAITING, Status
from videos.lifecycle import deletion, video_actions
from videos.models import ProviderState, Video, VideoEvent, WebhookDelivery
from videos.pipeline import incoming_webhooks, polling, scheduler, storage, submission, sweeper
from videos.provider import heygen_clients, provider_gate
from videos.queue import estimates
from videos.tests.fake_heygen import FINAL, NO_CREDIT, Crash, FakeHeyGen
from videos.video_request import VideoRequest

SLOTS = 3
BALANCE = 100
MOST_VIDEOS = 5
LIMITS = {"free": 1, "pro": 2}
LONG = timedelta(minutes=10)

SUBMISSIONS = ["lost", "unknown", "busy", "in_progress", "refused", "operator", "crash", "crash_after"]
READINGS = ["unknown", "busy", "operator", "crash", "crash_after", "no_url", "expired", "cut"]
# Outcomes of the next calls. Enough are successful, so that videos advance.
submissions = st.lists(st.sampled_from(["ok", *SUBMISSIONS]), max_size=2)
readings = st.lists(st.sampled_from(["ok", "ok", *READINGS]), max_size=2)
troubles = st.lists(st.sampled_from([*SUBMISSIONS, "ok", *READINGS]), min_size=1, max_size=2)
remotes = st.integers(0, 3)
kinds = st.sampled_from(["avatar_video.success", "avatar_video.fail"])
failures = st.sampled_from(["", "", "rendering_failed", NO_CREDIT])
likely = st.sampled_from([True, True, True, False])


class VideoLife(RuleBasedStateMachine):
    """Every rule may happen at any time, any number of times."""

    heygen = FakeHeyGen()
    people: tuple[Person, Person]
    avatar_id: int
    videos = Bundle("videos")

    def __init__(self) -> None:
        super().__init__()
        # Rolled back at the end: each example starts from an empty database.
        self.example = transaction.atomic()
        # As Django marks the transaction of a test: for the code under test it is none.
        self.example._from_testcase = True
        self.example.__enter__()
        self.heygen.renders, self.heygen.keys, self.heygen.plan, self.heygen.unlisted = {}, {}, [], set()
        self.deliveries = 0
        self.shown: Counter[Any] = Counter()
        self.proved: list[Any] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    def attempt(self, action: Callable[[], Any], plan: list[str]) -> None:
        """Run `action` with HeyGen answering as planned; a crash ends it in the middle."""
        self.heygen.plan = list(plan)
        try:
            action()
        except Crash:
            pass
        finally:
            self.heygen.plan = []

    @initialize(target=videos)
    def first_orders(self) -> Any:
        return multiple(*(video_actions.create_video(person.caller, self.request(9)).pk for person in self.people))

    @rule(target=videos, who=st.integers(0, 1), seconds=st.integers(2, 9), words=st.integers(1, 60))
    def order(self, who: int, seconds: int, words: int) -> Any:
        """The real length may differ from the estimate."""
        if Video.objects.count() >= MOST_VIDEOS:
            return multiple()
        self.heygen.seconds = seconds
        try:
            return video_actions.create_video(self.people[who].caller, self.request(words)).pk
        except InsufficientCredits:
            return multiple()

    def request(self, words: int) -> VideoRequest:
        return VideoRequest(avatar_id=self.avatar_id, script="word " * words)

    @rule(video=videos)
    def advance(self, video: Any) -> None:
        """The next step of the video succeeds."""
        self.work(video, "", [])

    @rule(video=videos, failure=failures, plan=troubles)
    def advance_with_errors(self, video: Any, failure: str, plan: list[str]) -> None:
        """The next step of the video succeeds or fails."""
        self.work(video, failure, plan)

    def work(self, video: Any, failure: str, plan: list[str]) -> None:
        self.dispatch(later=True, plan=[])
        status = Status(Video.objects.get(pk=video).status)
        if status == Status.SUBMITTING:
            self.submit(video, True, plan)
        elif status == Status.RENDERING:
            for number in range(len(self.heygen.renders)):
                self.end_render(number, failure)
            self.poll(True, plan)
        elif status == Status.STORING:
            self.store(video, True, plan)

    # ── Clients

    @rule(video=videos)
    def cancel(self, video: Any) -> None:
        self.request_action(video_actions.cancel_by_client, video)

    @rule(video=videos)
    def delete(self, video: Any) -> None:
        self.request_action(deletion.delete_video, video)

    @rule(video=videos)
    def retry(self, video: Any) -> None:
        if Video.objects.count() < 2 * MOST_VIDEOS:
            self.request_action(lambda old: video_actions.retry_video(self.owner_of(old).caller, old), video)

    def owner_of(self, video: Video) -> Person:
        return next(person for person in self.people if person.account.pk == video.account_id)

    def request_action(self, action: Callable[[Video], Any], pk: Any) -> None:
        """A client's request may be refused; then no row has changed."""
        video = Video.objects.filter(pk=pk, deleted_at=None).first()
        if video is None:
            return
        try:
            action(video)
        except (InvalidState, InsufficientCredits):
            assert Video.objects.get(pk=pk).status == video.status

    # ── Staff

    @rule(video=videos, charge=st.integers(0, 3))
    def staff_cancel(self, video: Any, charge: int) -> None:
        """Credits are charged only for what HeyGen has."""
        row = Video.objects.get(pk=video)
        charge = min(charge, row.credits_held) if row.status in (Status.RENDERING, Status.STORING) else 0
        waits = row.status in WAITING
        assert settlement.cancel_video(row, reason="canceled_by_staff", charge=charge) == waits

    @rule(pausing=st.booleans())
    def staff_pause_or_resume(self, pausing: bool) -> None:
        if pausing:
            provider_gate.pause("staff")
            assert scheduler.hand_out_slots() == 0
        provider_gate.resume("staff")

    @rule()
    def staff_reopen(self) -> None:
        provider_gate.reopen()

    # ── Workers

    @rule(later=likely, plan=readings)
    def dispatch(self, later: bool, plan: list[str]) -> None:
        """With `later` the wait of the gate is over."""
        if later:
            ProviderState.objects.update(closed_until=F("changed_at"))
        before = Video.objects.in_flight().count()
        self.attempt(scheduler.hand_out_slots, plan)
        flying = Video.objects.in_flight().count()
        assert flying == before or (
            ProviderState.objects.exists() and flying <= provider_gate.read().limit(timezone.now())
        )

    @rule(video=videos, later=likely, plan=submissions)
    def submit(self, video: Any, later: bool, plan: list[str]) -> None:
        self.dispatch(later, [])
        self.pass_time(later)
        self.attempt(lambda: submission.submit_video(str(video)), plan)

    @rule(later=likely, plan=readings)
    def poll(self, later: bool, plan: list[str]) -> None:
        self.pass_time(later)
        self.attempt(polling.poll_due, plan)

    @rule(video=videos, plan=readings)
    def read(self, video: Any, plan: list[str]) -> None:
        self.attempt(lambda: polling.read_video(str(video)), plan)

    @rule(plan=readings)
    def backfill(self, plan: list[str]) -> None:
        self.attempt(incoming_webhooks.backfill_missed, plan)
        self.work_off(plan)

    @rule(video=videos, later=likely, plan=readings)
    def store(self, video: Any, later: bool, plan: list[str]) -> None:
        self.pass_time(later)
        self.attempt(lambda: storage.store_video(str(video)), plan)

    @rule(video=videos, plan=readings)
    def purge(self, video: Any, plan: list[str]) -> None:
        self.attempt(lambda: deletion.purge_video(str(video)), plan)

    @rule(plan=readings)
    def sweep(self, plan: list[str]) -> None:
        self.attempt(sweeper.sweep_all, plan)

    # ── HeyGen and time

    @rule(number=remotes, kind=kinds, plan=readings)
    def webhook(self, number: int, kind: str, plan: list[str]) -> None:
        """A genuine or wrong delivery, early or late, for a known or unknown video, sent twice."""
        self.deliveries += 1
        notice = WebhookNotice(f"evt_{self.deliveries}", kind, f"remote-{number}", None, {})
        assert incoming_webhooks.store_delivery(notice)
        assert not incoming_webhooks.store_delivery(notice)
        self.work_off(plan)

    def work_off(self, plan: list[str]) -> None:
        for delivery in WebhookDelivery.objects.filter(processed_at=None):
            self.attempt(partial(incoming_webhooks.process_delivery, delivery.pk), plan)

    @rule(number=remotes, failure=failures)
    def end_render(self, number: int, failure: str) -> None:
        render = self.heygen.renders.get(f"remote-{number}")
        if render and render.state not in FINAL:
            state = RenderState.FAILED if failure else RenderState.COMPLETED
            self.heygen.renders[render.id] = replace(render, state=state, failure=failure)

    @rule(video=videos)
    def deadline_passes(self, video: Any) -> None:
        Video.objects.filter(pk=video, deadline_at__isnull=False).update(deadline_at=timezone.now())

    @rule()
    def long_time_passes(self) -> None:
        """Renders get overdue, every render is listed, and a learned limit grows."""
        self.heygen.unlisted = set()
        Video.objects.update(submitted_at=F("submitted_at") - LONG, moved_at=F("moved_at") - LONG)
        ProviderState.objects.update(changed_at=F("changed_at") - LONG, learned_at=F("learned_at") - LONG)

    def pass_time(self, later: bool) -> None:
        """Leases and waits end."""
        if later:
            Video.objects.filter(status__in=WAITING, due_at__isnull=False).update(due_at=timezone.now())

    @invariant()
    def invariants_hold(self) -> None:
        videos = list(Video.objects.all())
        self.check_ledger()
        check_money(videos)
        check_moves()
        check_waits(videos)
        check_shares(videos)
        self.check_progress(videos)
        made = Counter(render.order for render in self.heygen.renders.values() if render.costly)
        assert all(count == 1 for count in made.values()), made
        assert all(made[str(video.pk)] == 1 for video in videos if video.status == Status.COMPLETED)

    def check_ledger(self) -> None:
        """Only after a change of credits, because the check is slow."""
        now = [*Wallet.objects.order_by("pk").values_list("balance", "held"), LedgerEntry.objects.count()]
        assert now == self.proved or the_ledger_proves()
        self.proved = now

    def check_progress(self, videos: list[Video]) -> None:
        for video in videos:
            if video.status in WAITING:
                now = estimates.progress_percent(video)
                assert now >= self.shown[video.pk]
                self.shown[video.pk] = now


def check_money(videos: list[Video]) -> None:
    """A waiting video has its hold; a completed one was charged once, a canceled one only by staff."""
    charges = Counter(LedgerEntry.objects.filter(kind=EntryKind.CHARGE).values_list("reference", flat=True))
    open_holds = set(Hold.objects.filter(status=HoldStatus.OPEN).values_list("reference", flat=True))
    for video in videos:
        assert charges[video.money_reference] == (video.credits_charged > 0)
        may_pay = {Status.COMPLETED: (True,), Status.CANCELED: (True, False)}.get(Status(video.status), (False,))
        assert (video.credits_charged > 0) in may_pay
        assert (video.money_reference in open_holds) == (video.status in WAITING)
        assert (video.credits_held > 0) == (video.status in WAITING)


def check_moves() -> None:
    moves = VideoEvent.objects.exclude(from_status="").values_list("from_status", "to_status").distinct()
    assert [move for move in moves if move[0] not in SOURCES[Status(move[1])]] == []


def check_waits(videos: list[Video]) -> None:
    """A waiting video has a deadline and a due time; an ended one has neither, and a completed one its file."""
    for video in videos:
        assert (video.deadline_at is None) == (video.status in TERMINAL)
        assert (video.due_at is None) == (video.status in TERMINAL | {Status.QUEUED})
        if video.status == Status.COMPLETED and video.deleted_at is None:
            assert default_storage.exists(video.file.name)


def check_shares(videos: list[Video]) -> None:
    """Neither HeyGen nor an account has more in flight than its limit."""
    flying = Counter(video.account_id for video in videos if video.status in IN_FLIGHT)
    assert flying.total() <= SLOTS
    free, pro = VideoLife.people
    assert flying[free.account.pk] <= LIMITS["free"]
    assert flying[pro.account.pk] <= LIMITS["pro"]


@pytest.mark.slow
def test_the_invariants_of_videos_hold_after_any_sequence_of_events(installation_with_two_accounts):
    run_state_machine_as_test(
        VideoLife,
        settings=trials(
            max_examples=30,
            phases=[Phase.generate],
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def installation_with_two_accounts(db, monkeypatch, settings):
    """Few slots, so that they run out; two plans; and the fake HeyGen in every service."""
    settings.HEYGEN_MAX_CONCURRENT = SLOTS
    for code, most in LIMITS.items():
        Tier.objects.filter(code=code).update(max_in_flight=most)
    cache.clear()
    VideoLife.people = (make_caller(balance=BALANCE), make_caller(balance=BALANCE))
    VideoLife.avatar_id = make_avatar().pk
    Wallet.objects.filter(pk=VideoLife.people[1].account.pk).update(tier_id="pro")
    for module in (heygen_clients, provider_gate, incoming_webhooks, polling):
        monkeypatch.setattr(module, "get_client", lambda: VideoLife.heygen)
