"""Invariants after a chaos run: rows, ledger, storage and customers, compared with the sandbox's state."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator

from django.core.files.storage import default_storage

from billing import credits
from billing.ledger.ledger_check import check_all_wallets
from videos.enums import TERMINAL, Status
from videos.kinds import registry
from videos.lifecycle import withdrawn_cast
from videos.lifecycle.video_actions import STUCK_CANCELED
from videos.models import Video, VideoEvent
from videos.tests.chaos.evidence import Evidence, Render

LENGTH_TOLERANCE = 0.5
"""Seconds by which the length of the file and HeyGen's figure may differ."""


class InvariantCheck:
    """`violations` names each broken invariant with its evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.customers = evidence, evidence.customers
        self.videos = {str(video.pk): video for video in Video.objects.select_related("avatar", "voice")}
        self.renders: dict[str, list[Render]] = defaultdict(list)
        for render in evidence.renders:
            self.renders[render["callback_id"]].append(render)
        canceled_late = VideoEvent.objects.filter(reason=STUCK_CANCELED).values_list("video_id", flat=True)
        self.canceled_late = {str(video_id) for video_id in canceled_late}
        """Their customers did not wait for a stuck render, which HeyGen may still finish and bill."""

    def violations(self) -> Iterator[str]:
        yield from self._customer_violations()
        yield from (f"ledger: {discrepancy}" for discrepancy in check_all_wallets())
        yield from (f"render {each['id']} was ordered for nobody" for each in self._unknown_renders())
        for pk, video in self.videos.items():
            found = [*self._video_violations(pk, video)]
            yield from (f"{pk} ({video.status}): {what}\n    {history_of(video)}" for what in found)
        yield from self._history_violations()

    def _unknown_renders(self) -> Iterator[Render]:
        for callback_id, renders in self.renders.items():
            if callback_id not in self.videos:
                yield from renders

    def _customer_violations(self) -> Iterator[str]:
        made = Counter(video.metadata.get("order") or "purged" for video in self.videos.values())
        for customer in self.customers:
            yield from customer.errors
            for name, ids in customer.ids.items():
                if len(ids) != 1:
                    yield f"{name}: its key was answered with the videos {sorted(ids)}"
                if made[name] > 1:
                    yield f"{name}: its key made {made[name]} videos"
            for pk in customer.canceled:
                if self.videos[pk].status != Status.CANCELED:
                    yield f"{pk}: its cancellation was accepted, yet it is {self.videos[pk].status}"
        wanted = sum(len(customer.ids) for customer in self.customers)
        if len(self.videos) != wanted:
            yield f"{wanted} keys were used and {len(self.videos)} videos are there"

    def _video_violations(self, pk: str, video: Video) -> Iterator[str]:
        if video.status not in TERMINAL:
            yield "did not end"
            return
        yield from self._credit_violations(video)
        yield from self._render_violations(pk, video)
        if video.status == Status.COMPLETED:
            yield from self._file_violations(pk, video)

    def _credit_violations(self, video: Video) -> Iterator[str]:
        reference = video.money_reference
        hold, charges = self.evidence.holds[reference], self.evidence.charges[reference]
        if self.evidence.is_held(reference):
            yield f"{hold.amount} credits are still held"
        expected = [min(self._price(video), hold.amount)] if video.status == Status.COMPLETED else []
        if charges != expected:
            yield f"charged {charges}, should be {expected}"
        if (video.credits_held, video.credits_charged) != (0, sum(charges)):
            yield f"its row says held {video.credits_held} and charged {video.credits_charged}, charged was {charges}"

    def _price(self, video: Video) -> int:
        seconds = video.duration_seconds or 0
        return credits.price(**registry.rate_of(video), seconds=seconds)

    def _render_violations(self, pk: str, video: Video) -> Iterator[str]:
        costly = [render["id"] for render in self.renders[pk] if render["status"] != "failed"]
        wanted = 1 if video.status == Status.COMPLETED else 0
        if len(costly) not in ({0, 1} if pk in self.canceled_late else {wanted}):
            yield f"has the paid renders {costly}"
        if video.status == Status.COMPLETED and costly and costly != [video.provider_video_id]:
            yield f"was rendered as {costly}, its row says {video.provider_video_id}"
        failures = {render["failure_code"] for render in self.renders[pk] if render["status"] == "failed"}
        if video.status == Status.FAILED and not failures and not _was_withdrawn(video):
            yield f"failed without a verdict of HeyGen's: {video.error_code} {video.provider_error}"

    def _file_violations(self, pk: str, video: Video) -> Iterator[str]:
        if video.deleted_at is not None:
            yield from self._deletion_violations(pk, video)
            return
        (render, *_) = [one for one in self.renders[pk] if one["status"] == "completed"] or [{"sha256": {}}]
        theirs = render["sha256"].get("captioned" if video.captions else "video")
        ours = _hash_in_storage(video)
        if not theirs == ours == video.file_sha256:
            yield f"its file is {ours}, its row says {video.file_sha256}, HeyGen's file is {theirs}"
        if abs(float(video.duration_seconds or 0) - (render.get("duration") or 0)) > LENGTH_TOLERANCE:
            yield f"lasts {video.duration_seconds} s, at HeyGen {render.get('duration')} s"

    def _deletion_violations(self, pk: str, video: Video) -> Iterator[str]:
        if video.purged_at is None:
            yield "was deleted, and not purged"
        folder = f"videos/{video.account_id}/{pk}"
        if default_storage.exists(folder) and any(default_storage.listdir(folder)):
            yield f"was deleted, and its files are there: {default_storage.listdir(folder)}"
        if not all(render["deleted"] for render in self.renders[pk]):
            yield "was deleted here, and not at HeyGen"

    def _history_violations(self) -> Iterator[str]:
        histories: dict[str, list[VideoEvent]] = defaultdict(list)
        for event in VideoEvent.objects.order_by("id"):
            histories[str(event.video_id)].append(event)
        for pk, events in histories.items():
            steps = [event.to_status for event in events]
            sources = [event.from_status for event in events]
            if [*sources, self.videos[pk].status] != ["", *steps]:
                yield f"{pk}: its history has a gap: {list(zip(sources, steps, strict=True))}"


def _was_withdrawn(video: Video) -> bool:
    """Whether it failed because its customer deleted its own avatar or voice."""
    cast = [entry.creation for entry in (video.avatar, video.voice) if entry is not None and entry.is_own]
    return video.error_code == withdrawn_cast.CODE and any(each.deleted_at is not None for each in cast)


def _hash_in_storage(video: Video) -> str | None:
    if not video.file or not default_storage.exists(video.file.name):
        return None
    with default_storage.open(video.file.name) as file:
        return hashlib.sha256(file.read()).hexdigest()


def describe(video: Video) -> str:
    """The status, times and history of a video in one text."""
    facts = f"due {video.due_at}, deadline {video.deadline_at}, tries {video.tries}, calls {video.calls}"
    return f"{video.pk} {video.status}: {video.waiting_reason!r}, {facts}\n    {history_of(video)}"


def history_of(video: Video) -> str:
    return " → ".join(f"{event.to_status} ({event.reason})" for event in video.events.order_by("id"))
