"""An in-memory HeyGen client for property tests, whose answers can be planned to fail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from genvid.heygen.failures import failure_of_video
from genvid.heygen.heygen_errors import Busy, InProgress, LinkExpired, NotFound, OperatorProblem, Refused, Unknown
from genvid.heygen.heygen_types import ProviderAccount, RemoteVideo, RenderSpec, RenderState, Submission, WebhookNotice
from videos.tests.doubles import tiny_mp4

NO_CREDIT = "MOVIO_PAYMENT_INSUFFICIENT_CREDIT"
FINAL = (RenderState.COMPLETED, RenderState.FAILED)
KIND_OF_END = {RenderState.COMPLETED: "avatar_video.success", RenderState.FAILED: "avatar_video.fail"}


class Crash(BaseException):
    """Kills the worker at this line."""


@dataclass(frozen=True)
class Render:
    """A video at HeyGen. HeyGen bills it unless it failed for lack of credit."""

    id: str
    title: str
    seconds: int
    state: RenderState = RenderState.RUNNING
    failure: str = ""
    deleted: bool = False

    @property
    def order(self) -> str:
        """The id of our video."""
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
    """Orders with one idempotency key give one video, even if the first answer was lost."""

    renders: dict[str, Render] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    plan: list[str] = field(default_factory=list)
    """Outcomes of the next calls; `ok` when empty."""
    seconds: int = 4
    unlisted: set[str] = field(default_factory=set)
    """Ids of renders that cannot be found by their title yet."""

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
            self.unlisted.add(made.id)
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
        shown = [each for each in self.renders.values() if each.id not in self.unlisted and not each.deleted]
        found = [each for each in shown if title in each.title]
        return iter([RemoteVideo(each.id, each.state, each.state.value, each.title) for each in found])

    def download_media(self, url: str, sink: Any, **_: Any) -> None:
        answer = self._next()
        self._fail_as(answer, "crash", "unknown", "expired")
        content = tiny_mp4(self.renders[url.rpartition("/")[2]].seconds)
        content = content[:60] if answer == "cut" else content
        sink.write(content)
        if answer == "crash_after":
            raise Crash

    def delete_video(self, video_id: str) -> bool:
        self._fail_as(self._next(), "crash", "unknown")
        self.renders[video_id] = replace(self.renders[video_id], deleted=True)
        return True

    def get_account(self) -> ProviderAccount:
        self._fail_as(self._next(), "crash", "unknown", "busy", "operator")
        return ProviderAccount("wallet", "usd", Decimal(1))

    def iter_events(self, event_type: str) -> Iterator[WebhookNotice]:
        """An event for each ended render, newest first."""
        self._fail_as(self._next(), "crash", "unknown", "busy", "operator")
        ended = [each for each in self.renders.values() if KIND_OF_END.get(each.state) == event_type]
        then = timezone.now() - timedelta(minutes=1)
        return iter([WebhookNotice(f"history-{each.id}", event_type, each.id, None, {}, then) for each in ended[::-1]])
