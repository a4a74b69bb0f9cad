"""Panels about videos: the customer's videos on the customer's page; price and history on the video's own page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Account
from billing import credits
from genvid.panels import (
    Cell,
    Link,
    Panel,
    label,
    link,
    link_to,
    links,
    list_of,
    moment,
    panel,
    register_reference,
    step_cells,
)
from videos.enums import Status
from videos.kinds import registry
from videos.models import Video, VideoEvent, WebhookDelivery

SHOWN = 20
MOST_STEPS = 500
WORDS = 60
COLOURS: dict[str, str] = {
    Status.COMPLETED: "success",
    Status.FAILED: "danger",
    Status.CANCELED: "warning",
    **dict.fromkeys((Status.QUEUED, Status.SUBMITTING, Status.RENDERING, Status.STORING), "info"),
}
BY_COLOUR = {
    colour: [word for word, its in COLOURS.items() if its == colour] for colour in sorted(set(COLOURS.values()))
}

register_reference("video", "admin:videos_video_change")


def first_words(script: str | None) -> str:
    """Of what a voice says; of a recording, that it is one."""
    text = "a recording" if script is None else " ".join(script[: 4 * WORDS].split())
    return text if len(text) <= WORDS else f"{text[:WORDS].rsplit(' ', 1)[0]}…"


def status_label(status: str) -> Cell:
    return label(status, COLOURS.get(status, ""))


# ── The customer's page


@panel("accounts.account", order=20, permission="videos.view_video")
def videos(request: HttpRequest, account: Account) -> Panel:
    newest = Video.objects.filter(account=account).order_by("-created_at", "-id")[:SHOWN]
    rows = [
        (link_to(video, moment(video.created_at)), status_label(video.status), video.title or first_words(video.script),
         video.duration_seconds, video.credits_charged or f"{video.credits_held} held", links(_refund(request, video)))
        for video in newest
    ]  # fmt: skip
    headers = ("Ordered", "Status", "Title or script", "Seconds", "Credits", "Acts")
    return Panel("Videos", headers, rows, [Link("All videos", list_of(Video, account__id__exact=account.pk))])


def _refund(request: HttpRequest, video: Video) -> Link | None:
    if not video.credits_charged or not request.user.has_perm("videos.change_video"):
        return None
    return Link("Refund credits", reverse("admin:videos_video_run_refund", args=[video.pk]))


# ── Why it cost that


@panel("videos.video", order=10, permission="videos.view_video")
def price(request: HttpRequest, video: Video) -> Panel:
    why = credits.explain_price(video.money_reference, **registry.rate_of(video))
    rows = [("Test video", "free", "It was ordered with a test key."), *_asked(video, why)] if video.is_test else [
        *_asked(video, why), *_counted(video, why), *map(step_cells, why.moved()),
        *(map(step_cells, why.earned()) if request.user.has_perm("billing.view_payment") else ()),
    ]  # fmt: skip
    return Panel("Why this price", ("Step", "Amount", "How"), rows)


Row = tuple[Cell, Cell, Cell]


def _asked(video: Video, why: credits.PriceExplanation) -> Iterator[Row]:
    if why.rate is not None:
        yield "Rate", link_to(why.rate), f"at least {why.rate.minimum_credits} credits; in force when it was settled"
    source = "from the script, when it was ordered" if video.audio_id is None else "the length of the recording"
    yield "Estimated", f"{video.estimated_seconds} s", source


def _counted(video: Video, why: credits.PriceExplanation) -> Iterator[Row]:
    if (hold := why.hold) is not None:
        by = f"the estimate's price and {settings.HOLD_MARGIN_PERCENT} % of margin, at most"
        factor = "" if hold.overrun_factor == 1 else f", times {hold.overrun_factor} after earlier overruns"
        yield "Held", link_to(hold, f"{hold.amount} credits"), f"{by}{factor}; now {hold.status}"
    if video.duration_seconds is None:
        return
    yield "Real length", f"{video.duration_seconds} s", "of the finished file"
    if (cost := why.cost_of(video.duration_seconds)) is not None:
        exact, rounded = cost
        how = (
            f"{video.duration_seconds} s at {why.rate.credits_per_second if why.rate else ''} are {exact.normalize():f}"
        )
        yield "Rounded up", f"{rounded} credits", f"{how}, to whole credits and the minimum"


# ── What happened


@dataclass(frozen=True)
class Step:
    at: datetime
    kind: str
    what: Cell
    detail: Cell


@panel("videos.video", order=20, permission="videos.view_video")
def timeline(request: HttpRequest, video: Video) -> Panel:
    moves = _moves(video) if request.user.has_perm("videos.view_videoevent") else ()
    webhooks = _webhooks(video) if request.user.has_perm("videos.view_webhookdelivery") else ()
    found = sorted([*moves, *_calls(video), *webhooks], key=lambda step: step.at)
    rows, before = [], video.created_at
    for step in found:
        rows.append((moment(step.at), f"{(step.at - before).total_seconds():.3f}", step.kind, step.what, step.detail))
        before = step.at
    note = f"At most {MOST_STEPS} of each kind, newest kept." if len(found) >= MOST_STEPS else ""
    return Panel("Timeline", ("When", "Seconds since", "Kind", "What", "Details"), rows, note=note)


def _moves(video: Video) -> Iterator[Step]:
    for event in VideoEvent.objects.filter(video=video)[:MOST_STEPS]:
        said = f"{event.reason}: {event.detail}" if event.detail else event.reason
        yield Step(event.created_at, "status", status_label(event.to_status), said)


def _calls(video: Video) -> Iterator[Step]:
    for call in video.provider_calls or ():
        good = not call["code"]
        answer = " ".join(str(part) for part in (call["status"] or "no answer", call["code"]) if part)
        said = f"{answer} in {call['ms']} ms; request id {call['request_id'] or 'none'}"
        what = label(call["operation"], "success" if good else "danger")
        yield Step(datetime.fromisoformat(call["at"]), "call to HeyGen", what, said)


def _webhooks(video: Video) -> Iterator[Step]:
    ours = Q(callback_id=str(video.pk))
    for delivery in WebhookDelivery.objects.filter(ours).order_by("-received_at", "-id")[:MOST_STEPS]:
        found = "found in HeyGen's history" if delivery.missed else "received"
        waited = _seconds(delivery.received_at, delivery.processed_at)
        done = f"{found}, {delivery.outcome or 'not worked off'}{waited}"
        what = link(delivery.event_type, reverse("admin:videos_webhookdelivery_change", args=[delivery.pk]))
        yield Step(delivery.received_at, "webhook", what, done)


def _seconds(since: datetime, until: Any) -> str:
    return f" after {(until - since).total_seconds():.3f} s" if until else ""
