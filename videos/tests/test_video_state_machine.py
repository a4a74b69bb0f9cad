"""Any order of events, any answer, a crash at any call: the laws of money and status hold after each step."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as trials
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from billing.enums import EntryKind, HoldStatus
from billing.models import Hold, LedgerEntry
from genvid.errors import InsufficientCredits, InvalidState
from genvid.heygen.errors import Busy, InProgress, LinkExpired, NotFound, OperatorProblem, Refused, Unknown
from genvid.heygen.failures import failure_of_video
from genvid.heygen.types import RemoteVideo, RenderSpec, RenderState, Submission, WebhookNotice
from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import make_avatar, make_caller
from videos import scheduler
from videos.enums import IN_FLIGHT, SOURCES, TERMINAL, WAITING, Status
from videos.models import ProviderState, Video, VideoEvent, WebhookDelivery
from videos.services import creating, deleting, deliveries, rendering, storing, submitting, sweeping
from videos.tests.doubles import tiny_mp4

SLOTS = 2
BALANCE = 100
MOST_VIDEOS = 4
NO_CREDIT = "MOVIO_PAYMENT_INSUFFICIENT_CREDIT"
FINAL = (RenderState.COMPLETED, RenderState.FAILED)


class Crash(BaseException):
    """The worker dies at this line."""


@dataclass(frozen=True)
class Render:
    """One video at HeyGen. `costly` unless it failed for want of credit: then nothing was made."""

    id: str
    title: str
    seconds: int
    state: RenderState = RenderState.RUNNING
    failure: str = ""
    deleted: bool = False

    @property
    def order(self) -> str:
        """The video of ours that it was ordered for."""
        return self.title.split()[1]

    @property
    def costly(self) -> bool:
        return self.failure != NO_CREDIT


ERRORS: dict[str, Callable[[], BaseException]] = {
    "crash": Crash,
    "unknown": lambda: Unknown("internal_error"),
    "busy": lambda: Busy("rate_limit_exceeded", retry_after=1.0),
    "in_progress": lambda: InProgress("request_in_progress"),
    "refused": lambda: Refused("content_policy_violation"),
    "operator": lambda: OperatorProblem("unauthorized"),
    "expired": lambda: LinkExpired("link_expired"),
}


@dataclass
class FakeHeyGen:
    """Takes orders as the fact sheet says: the same key gives the same video, whatever came of the first answer."""

    renders: dict[str, Render] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    plan: list[str] = field(default_factory=list)
    """What the next calls come to; `ok` when it is empty."""
    seconds: int = 4

    def __hash__(self) -> int:
        return id(self)

    def _next(self) -> str:
        return self.plan.pop(0) if self.plan else "ok"

    def _fail_as(self, answer: str, *known: str) -> None:
        if answer in known:
            raise ERRORS[answer]()

    def create_video(self, spec: RenderSpec, *, idempotency_key: str, callback_id: str) -> Submission:
        answer = self._next()
        self._fail_as(answer, "crash", "unknown", "busy", "in_progress", "refused", "operator")
        if idempotency_key not in self.keys:
            made = Render(f"remote-{len(self.renders)}", spec.title, self.seconds)
            self.renders[made.id] = made
            self.keys[idempotency_key] = made.id
        if answer == "lost":
            raise Unknown("timeout")
        if answer == "crash_after":
            raise Crash
        return Submission(self.keys[idempotency_key], "waiting")

    def get_statuses(self, video_ids: list[str]) -> dict[str, RenderState]:
        self._fail_as(self._next(), "crash", "unknown", "busy", "operator")
        return {each: self.renders[each].state for each in video_ids if each in self.renders}

    def get_video(self, video_id: str, *, captioned: bool = False) -> RemoteVideo:
        answer = self._next()
        self._fail_as(answer, "crash", "unknown", "busy", "operator")
        render = self.renders[video_id]
        if render.deleted:
            raise NotFound("video_not_found")
        url = f"https://files.heygen.ai/{render.id}" if render.state is RenderState.COMPLETED else None
        failure = failure_of_video(render.failure, "") if render.state is RenderState.FAILED else None
        links = dict.fromkeys(("thumbnail_url", "subtitles_url"), url)
        file_url = None if answer == "no_url" else url
        return RemoteVideo(
            id=video_id,
            state=render.state,
            raw_status=render.state.value,
            file_url=file_url,
            failure=failure,
            **links,
        )

    def find_videos(self, title: str) -> Iterator[RemoteVideo]:
        self._fail_as(self._next(), "crash", "unknown", "busy", "operator")
        found = [each for each in self.renders.values() if title in each.title and not each.deleted]
        return iter([RemoteVideo(each.id, each.state, each.state.value, each.title) for each in found])

    def download_media(self, url: str, sink: Any, *, hasher: Any, **_: Any) -> None:
        answer = self._next()
        self._fail_as(answer, "crash", "unknown", "expired")
        content = tiny_mp4(self.renders[url.rpartition("/")[2]].seconds)
        content = content[:60] if answer == "cut" else content
        sink.write(content)
        hasher.update(content)
        if answer == "crash_after":
            raise Crash

    def delete_video(self, video_id: str) -> bool:
        self._fail_as(self._next(), "crash", "unknown")
        self.renders[video_id] = replace(self.renders[video_id], deleted=True)
        return True


SUBMISSIONS = ["lost", "unknown", "busy", "in_progress", "refused", "operator", "crash", "crash_after"]
READINGS = ["unknown", "busy", "operator", "crash", "crash_after", "no_url", "expired", "cut"]
# What the next calls come to. Some go well, so that videos get anywhere at all.
submissions = st.lists(st.sampled_from(["ok", *SUBMISSIONS]), max_size=2)
readings = st.lists(st.sampled_from(["ok", "ok", *READINGS]), max_size=2)
troubles = st.lists(st.sampled_from([*SUBMISSIONS, "ok", *READINGS]), min_size=1, max_size=2)
remotes = st.integers(0, 3)
kinds = st.sampled_from(["avatar_video.success", "avatar_video.fail"])
failures = st.sampled_from(["", "", "rendering_failed", NO_CREDIT])
likely = st.sampled_from([True, True, True, False])


class VideoLife(RuleBasedStateMachine):
    """Every rule is something that may happen at any time, as often as it likes."""

    heygen = FakeHeyGen()
    videos = Bundle("videos")

    def __init__(self) -> None:
        super().__init__()
        # Rolled back at the end: each example starts from an empty house.
        self.example = transaction.atomic()
        self.example.__enter__()
        self.heygen.renders, self.heygen.keys, self.heygen.plan = {}, {}, []
        self.owner, self.avatar = make_caller(balance=BALANCE), make_avatar()
        self.deliveries = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    def attempt(self, deed: Callable[[], Any], plan: list[str]) -> None:
        """Run `deed` with HeyGen answering as planned; a crash ends it in the middle."""
        self.heygen.plan = list(plan)
        try:
            deed()
        except Crash:
            pass
        finally:
            self.heygen.plan = []

    @initialize(target=videos)
    def first_orders(self) -> Any:
        return multiple(*(creating.create(self.owner.caller, **self.wish(words)).pk for words in (1, 9)))

    @rule(target=videos, seconds=st.integers(2, 9), words=st.integers(1, 60))
    def order(self, seconds: int, words: int) -> Any:
        """The real length may be another than the one that was guessed."""
        if Video.objects.count() >= MOST_VIDEOS:
            return multiple()
        self.heygen.seconds = seconds
        try:
            return creating.create(self.owner.caller, **self.wish(words)).pk
        except InsufficientCredits:
            return multiple()

    def wish(self, words: int) -> dict[str, Any]:
        return {"avatar_id": self.avatar.pk, "script": "word " * words}

    @rule(video=videos)
    def advance(self, video: Any) -> None:
        """Whatever comes next for it goes well."""
        self.work(video, "", [])

    @rule(video=videos, failure=failures, plan=troubles)
    def stumble(self, video: Any, failure: str, plan: list[str]) -> None:
        """Whatever comes next for it goes as it may."""
        self.work(video, failure, plan)

    def work(self, video: Any, failure: str, plan: list[str]) -> None:
        self.dispatch(later=True)
        status = Status(Video.objects.get(pk=video).status)
        if status == Status.SUBMITTING:
            self.submit(video, True, plan)
        elif status == Status.RENDERING:
            for number in range(len(self.heygen.renders)):
                self.end_render(number, failure)
            self.poll(True, plan)
        elif status == Status.STORING:
            self.store(video, True, plan)

    @rule(video=videos)
    def cancel(self, video: Any) -> None:
        self.of_client(creating.cancel, video)

    @rule(video=videos)
    def delete(self, video: Any) -> None:
        self.of_client(deleting.delete, video)

    @rule(video=videos)
    def retry(self, video: Any) -> None:
        self.of_client(lambda old: creating.retry(self.owner.caller, old), video)

    def of_client(self, deed: Callable[[Video], Any], pk: Any) -> None:
        """Clients' wishes may be refused, and then nothing has changed."""
        video = Video.objects.filter(pk=pk, deleted_at=None).first()
        if video is None:
            return
        try:
            deed(video)
        except (InvalidState, InsufficientCredits):
            assert Video.objects.get(pk=pk).status == video.status

    @rule(later=likely)
    def dispatch(self, later: bool) -> None:
        """`later`: the gate's time is over."""
        if later:
            ProviderState.objects.update(closed_until=None)
        scheduler.hand_out_slots()

    @rule(video=videos, later=likely, plan=submissions)
    def submit(self, video: Any, later: bool, plan: list[str]) -> None:
        self.dispatch(later)
        self.pass_time(later)
        self.attempt(lambda: submitting.submit_video(str(video)), plan)

    @rule(later=likely, plan=readings)
    def poll(self, later: bool, plan: list[str]) -> None:
        self.pass_time(later)
        self.attempt(rendering.poll_due, plan)

    @rule(video=videos, later=likely, plan=readings)
    def store(self, video: Any, later: bool, plan: list[str]) -> None:
        self.pass_time(later)
        self.attempt(lambda: storing.store_video(str(video)), plan)

    def pass_time(self, later: bool) -> None:
        """Leases run out and waits end."""
        if later:
            Video.objects.filter(status__in=WAITING, due_at__isnull=False).update(due_at=timezone.now())

    @rule(video=videos, plan=readings)
    def purge(self, video: Any, plan: list[str]) -> None:
        self.attempt(lambda: deleting.purge_video(str(video)), plan)

    @rule(plan=readings)
    def sweep(self, plan: list[str]) -> None:
        self.attempt(sweeping.sweep_all, plan)

    @rule(number=remotes, kind=kinds, plan=readings)
    def webhook(self, number: int, kind: str, plan: list[str]) -> None:
        """True or not, early or late, for a video of ours or somebody else's; and it comes twice."""
        self.deliveries += 1
        notice = WebhookNotice(f"evt_{self.deliveries}", kind, f"remote-{number}", None, {})
        assert deliveries.keep(notice)
        assert not deliveries.keep(notice)
        for delivery in WebhookDelivery.objects.filter(processed_at=None):
            self.attempt(partial(deliveries.work_off, delivery.pk), plan)

    @rule(number=remotes, failure=failures)
    def end_render(self, number: int, failure: str) -> None:
        render = self.heygen.renders.get(f"remote-{number}")
        if render and render.state not in FINAL:
            state = RenderState.FAILED if failure else RenderState.COMPLETED
            self.heygen.renders[render.id] = replace(render, state=state, failure=failure)

    @rule(video=videos)
    def deadline_passes(self, video: Any) -> None:
        Video.objects.filter(pk=video, deadline_at__isnull=False).update(deadline_at=timezone.now())

    @invariant()
    def the_laws_hold(self) -> None:
        assert the_ledger_proves()
        videos = list(Video.objects.all())
        check_money(videos)
        check_moves()
        check_waits(videos)
        made = Counter(render.order for render in self.heygen.renders.values() if render.costly)
        assert all(count == 1 for count in made.values()), made


def check_money(videos: list[Video]) -> None:
    """Each holds while it waits and has paid once when it is done."""
    charges = Counter(LedgerEntry.objects.filter(kind=EntryKind.CHARGE).values_list("reference", flat=True))
    open_holds = set(Hold.objects.filter(status=HoldStatus.OPEN).values_list("reference", flat=True))
    for video in videos:
        assert charges[video.money_reference] == (video.status == Status.COMPLETED)
        assert (video.credits_charged > 0) == (video.status == Status.COMPLETED)
        assert (video.money_reference in open_holds) == (video.status in WAITING)
        assert (video.credits_held > 0) == (video.status in WAITING)


def check_moves() -> None:
    moves = VideoEvent.objects.exclude(from_status="").values_list("from_status", "to_status").distinct()
    assert [move for move in moves if move[0] not in SOURCES[Status(move[1])]] == []


def check_waits(videos: list[Video]) -> None:
    """What waits has a deadline and somebody who acts next; what has ended has neither, but its file."""
    assert sum(video.status in IN_FLIGHT for video in videos) <= SLOTS
    for video in videos:
        assert (video.deadline_at is None) == (video.status in TERMINAL)
        assert (video.due_at is None) == (video.status in TERMINAL | {Status.QUEUED})
        if video.status == Status.COMPLETED and video.deleted_at is None:
            assert default_storage.exists(video.file.name)


@pytest.mark.slow
def test_the_laws_hold_whatever_happens(db, settings_for_the_machine):
    run_state_machine_as_test(
        VideoLife,
        settings=trials(
            max_examples=50,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def settings_for_the_machine(monkeypatch, settings):
    """Two slots, so that they run out, and the fake at every door."""
    settings.HEYGEN_MAX_CONCURRENT = SLOTS
    for service in (deleting, deliveries, rendering, storing, submitting):
        monkeypatch.setattr(service, "get_client", lambda: VideoLife.heygen)
