"""Panels, work and look-ups of videos and HeyGen on the staff's home page."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from genvid.admin_lists import as_uuid
from genvid.charts import chart
from genvid.staff_home import HomePanel, LookUp, Work, add_look_ups, add_panels, add_work, count_rows
from videos.models import Batch, OperatorAlarm, Video
from videos.provider import balances, provider_gate
from videos.provider.gate_decisions import Gate
from videos.staff import pipeline_figures

SEE_GATE = "videos.view_providerstate"
SEE_VIDEOS = "videos.view_video"
OPERATE = "videos.change_video"
VIDEOS = "admin:videos_video_changelist"
GATE = "admin:videos_providerstate_"
HEYGEN_ID = re.compile(r"[\w-]{1,200}")


def read_gate(request: HttpRequest) -> Mapping[str, Any]:
    gate, now = provider_gate.read(), timezone.now()
    word, color = _state_of(gate, now)
    facts = {"gate": gate, "word": word, "color": color, "since": _since(gate), "next_probe": _next_probe(gate, now)}
    return facts | {"buttons": _buttons(gate) if request.user.has_perm(OPERATE) else []}


def _state_of(gate: Gate, now: datetime) -> tuple[str, str]:
    if gate.paused_at is not None:
        return "paused", "danger"
    if gate.waits(now):
        return ("shut", "danger") if gate.needs_staff else ("busy", "warning")
    return ("half-open", "warning") if gate.needs_staff else ("open", "success")


def _since(gate: Gate) -> datetime | None:
    if gate.paused_at is not None:
        return gate.paused_at
    return gate.needs_staff_since or (gate.changed_at if gate.code else None)


def _next_probe(gate: Gate, now: datetime) -> str:
    if gate.paused_at is not None:
        return "none while paused"
    if gate.waits(now) and gate.closed_until is not None:
        return f"{gate.closed_until:%H:%M:%S} UTC"
    return "the next order" if gate.needs_staff else ""


def _buttons(gate: Gate) -> list[dict[str, str]]:
    is_paused = gate.paused_at is not None
    found = [
        ("Resume orders", "resume_provider", "primary") if is_paused else ("Pause orders", "pause_provider", "danger")
    ]
    found += [("Reopen the gate", "reopen_provider", "default")] if gate.code else []
    return [{"title": title, "link": reverse(GATE + name), "variant": variant} for title, name, variant in found]


def read_now(_: HttpRequest) -> Mapping[str, Any]:
    now, depths = pipeline_figures.in_making(), pipeline_figures.depths()
    series = {"queued": depths.queued, "rendering": depths.rendering}
    about = f"Videos that were queued and rendering at each of the last 24 hours. Queued at most: {max(depths.queued)}."
    limit = provider_gate.read().limit(timezone.now())
    return {"now": now, "limit": limit, "chart": chart("depths", about, _clock(depths.hours), series)}


def read_outcomes(_: HttpRequest) -> Mapping[str, Any]:
    day, week = pipeline_figures.outcomes()
    most = sorted(week.codes, key=lambda code: -week.codes[code])[: pipeline_figures.MOST_CODES]
    link = reverse(VIDEOS)
    codes = [
        {"code": code or "none", "day": day.codes.get(code, 0), "week": week.codes[code]}
        | {"link": f"{link}?status__exact=failed&error_code__exact={code}"}
        for code in most
    ]
    return {"day": day, "week": week, "codes": codes}


def read_times(_: HttpRequest) -> Mapping[str, Any]:
    times = pipeline_figures.times()
    series = {"p50": _minutes(times.p50_by_hour), "p95": _minutes(times.p95_by_hour)}
    about = "Minutes from the queue to the stored file, by the hour in which videos were finished: median and p95."
    return {"times": times, "chart": chart("times", about, _clock(times.hours), series)}


def read_balance(_: HttpRequest) -> Mapping[str, Any]:
    found = balances.recent_balances()
    if not found:
        return {"last": None}
    labels = [f"{each.read_at:%d %b %H:%M}" for each in found]
    about = f"The balance at HeyGen over the last seven days; {found[-1].remaining} is left."
    plot = chart("balance", about, labels, {"balance": [float(each.remaining) for each in found]})
    return {"last": found[-1], "days": balances.days_left(found), "chart": plot}


def _clock(hours: Sequence[datetime]) -> list[str]:
    return [f"{hour:%H:%M}" for hour in hours]


def _minutes(seconds: Sequence[float | None]) -> list[float | None]:
    return [None if each is None else round(each / 60, 2) for each in seconds]


def find_video(term: str) -> str | None:
    return _page_of(Video, term)


def find_batch(term: str) -> str | None:
    return _page_of(Batch, term)


def _page_of(model: type[Model], term: str) -> str | None:
    key = as_uuid(term)
    if key is None or not model._default_manager.filter(pk=key).exists():
        return None
    return reverse(f"admin:videos_{model._meta.model_name}_change", args=[key])


def find_by_heygen_id(term: str) -> str | None:
    if not HEYGEN_ID.fullmatch(term):
        return None
    key = Video.objects.filter(provider_video_id=term).values_list("pk", flat=True).first()
    return reverse("admin:videos_video_change", args=[key]) if key else None


add_panels(
    HomePanel("gate", "HeyGen's gate", "videos/home/gate.html", read_gate, order=10, permissions=(SEE_GATE,)),
    HomePanel("now", "Now", "videos/home/now.html", read_now, order=20, permissions=(SEE_VIDEOS,)),
    HomePanel("outcomes", "Success", "videos/home/outcomes.html", read_outcomes, order=40, permissions=(SEE_VIDEOS,)),
    HomePanel("times", "Time to finish", "videos/home/times.html", read_times, order=50, permissions=(SEE_VIDEOS,)),
    HomePanel(
        "balance", "Balance at HeyGen", "videos/home/balance.html", read_balance, order=60, permissions=(SEE_GATE,)
    ),
)
add_work(
    Work(
        "alarms",
        "Open alarms",
        lambda: count_rows(OperatorAlarm.objects.unacknowledged()),
        lambda: reverse("admin:videos_operatoralarm_changelist"),
        "videos.view_operatoralarm",
        is_urgent=True,
    ),
    Work(
        "videos",
        "Videos set aside for staff",
        lambda: count_rows(pipeline_figures.waiting_for_staff()),
        lambda: reverse(VIDEOS) + "?status__exact=queued&set_aside_at__isempty=0",
        SEE_VIDEOS,
        is_urgent=True,
    ),
)
add_look_ups(
    LookUp(find_video, SEE_VIDEOS), LookUp(find_batch, "videos.view_batch"), LookUp(find_by_heygen_id, SEE_VIDEOS)
)
