"""Runs one case from the first claim to the last completion, and computes its figures."""

import time
from dataclasses import dataclass, field
from io import StringIO
from statistics import quantiles
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.models import Count

from avatars.catalogue_sync import sync_catalogue
from bench.counting import download_seconds, statements_in
from bench.cpu_time import cpu_seconds
from bench.naive_worker import make_video
from bench.orders import queue_videos, set_render_times, truncate_tables
from bench.plan import NAIVE_POLL, SPREAD, THREADS, WALLET_DOLLARS, WARM_UP, WORKERS, Case
from genvid.heygen.heygen_client import get_client
from genvid.jobs import enqueue
from genvid.tests.deployment import Deployment
from genvid.tests.factories import Person
from genvid.tests.processes import WorkerProcess
from videos import jobs
from videos.enums import IN_FLIGHT, TERMINAL, Status
from videos.models import ProviderWebhook, Video

POLL_SECONDS = 0.5
WARM_UP_SECONDS = 120.0
NOT_EXTRA = ("POST /v3/videos", "GET /v3/videos/{video_id}")


@dataclass
class Figures:
    """Figures of one case. Latencies are sorted, in seconds, one per video."""

    case: Case
    seconds: float
    completed: int
    not_completed: int
    peak_in_flight: int
    statements: int
    transactions: int
    cpu: dict[str, float]
    requests: dict[str, int]
    refused: int = 0
    """Calls that the sandbox answered with 429."""
    seen: list[float] = field(default_factory=list)
    """From the end at HeyGen until we know of it; empty for the naive design, which downloads at once."""
    done: list[float] = field(default_factory=list)
    """From the end at HeyGen until `completed` here."""
    done_aside: list[float] = field(default_factory=list)
    """As `done`, without the time of the downloads."""

    @property
    def extra_calls(self) -> float:
        total = sum(count for route, count in self.requests.items() if route.split()[1].startswith("/v3/"))
        return (total - 2 * self.completed) / max(1, self.completed)

    @property
    def status_calls(self) -> float:
        return self.requests.get("GET /v3/videos/statuses", 0) / max(1, self.completed)


def quantile(values: list[float], percent: int) -> float:
    if len(values) < 2:
        return values[0] if values else float("nan")
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def run(deployment: Deployment, case: Case, people: list[Person]) -> Figures:
    _prepare(deployment, case)
    deployment.launch_workers(_workers(deployment, case))
    try:
        _warm_up(deployment, case, people)
        if case.design != "naive":
            set_render_times(case)
        warm_up = set(Video.objects.values_list("pk", flat=True))
        deployment.sandbox.configure(render_seconds=case.render_seconds, render_spread=SPREAD)
        ids = queue_videos(people, case.videos)
        before, begun = _snapshot(deployment), time.monotonic()
        peak = _wait_for_ends(deployment, case, ids, case.patience)
        seconds = time.monotonic() - begun
        spent = _difference(_snapshot(deployment), before)
    finally:
        deployment.stop_workers()
    return _figures(deployment, case, warm_up, spent, seconds, peak)


def _workers(deployment: Deployment, case: Case) -> list[WorkerProcess]:
    naive = case.design == "naive"
    environment = {
        "HEYGEN_MAX_CONCURRENT": str(case.in_flight),
        "NAIVE_POLL_SECONDS": str(NAIVE_POLL),
        "BENCH_FOLDER": str(deployment.folder),
    }
    return [
        WorkerProcess(
            deployment.folder,
            name=f"{case.name}-{number}",
            concurrency=THREADS,
            beat=number == 0 and not naive,
            app="bench.naive_worker" if naive else "genvid",
            **environment,
        )
        for number in range(WORKERS)
    ]


def _warm_up(deployment: Deployment, case: Case, people: list[Person]) -> None:
    _wait_for_ends(deployment, case, queue_videos(people, WARM_UP), WARM_UP_SECONDS)
    done = Video.objects.filter(status=Status.COMPLETED).count()
    if done < WARM_UP:
        raise RuntimeError(f"{case.name}: only {done} of the first {WARM_UP} videos completed; --keep keeps the logs")


def _prepare(deployment: Deployment, case: Case) -> None:
    truncate_tables()
    ProviderWebhook.objects.all().delete()
    deployment.redis.flush()
    deployment.sandbox.reset()
    deployment.sandbox.wallet(WALLET_DOLLARS)
    for path in [*deployment.folder.glob("*.downloads"), *deployment.folder.glob("*.shapes")]:
        path.write_text("")
    mode = "normal" if case.design == "webhooks" else "off"
    deployment.sandbox.configure(concurrency=case.in_flight, render_seconds=0.5, webhooks=mode)
    deployment.sandbox.configure(calls_per_second=case.calls_per_second)
    sync_catalogue(get_client())
    if case.design != "naive":
        call_command("register_heygen_webhook", stdout=StringIO())


def _wait_for_ends(deployment: Deployment, case: Case, ids: list[str], patience: float) -> int:
    feed = Feeder(case, ids) if case.design == "naive" else None
    if feed is None:
        enqueue(jobs.DISPATCH)
    until, peak = time.monotonic() + patience, 0
    while time.monotonic() < until:
        by_status = dict(Video.objects.filter(pk__in=ids).values_list("status").annotate(Count("pk")).order_by())
        peak = max(peak, sum(by_status.get(status, 0) for status in IN_FLIGHT))
        ended = sum(by_status.get(status, 0) for status in TERMINAL)
        if ended == len(ids):
            break
        if feed is not None:
            feed.top_up(ended)
        time.sleep(POLL_SECONDS)
    return peak


class Feeder:
    """Keeps the naive design at its limit of tasks in flight, which it cannot enforce itself."""

    def __init__(self, case: Case, ids: list[str]) -> None:
        self._task, self._ids, self._limit, self._sent = make_video, ids, case.in_flight, 0

    def top_up(self, ended: int) -> None:
        for video_id in self._ids[self._sent : ended + self._limit]:
            self._task.delay(video_id)
            self._sent += 1


def _snapshot(deployment: Deployment) -> dict[str, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        transactions = cursor.fetchone()[0]
    alive = {worker.pid for worker in deployment.workers}
    records = deployment.sandbox.records()
    return {
        "cpu": cpu_seconds(deployment),
        "requests": records["requests"],
        "refused": {"all": records["drawn_faults"].get("calls_per_second", 0)},
        "statements": {str(pid): count for pid, count in statements_in(deployment.folder).items()},
        "transactions": {"all": transactions},
        "pids": dict.fromkeys(map(str, alive), 0),
    }


def _difference(after: dict[str, dict[str, Any]], before: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        part: {name: value - before[part].get(name, 0) for name, value in figures.items()}
        for part, figures in after.items()
    }


def _figures(
    deployment: Deployment, case: Case, warm_up: set[Any], spent: dict[str, dict[str, Any]], seconds: float, peak: int
) -> Figures:
    measured = Video.objects.exclude(pk__in=warm_up)
    completed = list(measured.filter(status=Status.COMPLETED))
    found = Figures(
        case=case,
        seconds=seconds,
        completed=len(completed),
        not_completed=measured.exclude(status=Status.COMPLETED).count(),
        peak_in_flight=peak,
        statements=sum(spent["statements"].values()),
        transactions=spent["transactions"]["all"],
        cpu=spent["cpu"],
        requests=spent["requests"],
        refused=spent["refused"]["all"],
    )
    _note_latencies(deployment, found, completed)
    return found


def _note_latencies(deployment: Deployment, found: Figures, completed: list[Video]) -> None:
    books = {row["id"]: row["completed_at"] for row in deployment.sandbox.records()["videos"]}
    downloads = download_seconds(deployment.folder)
    for video in completed:
        key = video.provider_video_id or ""
        if video.completed_at is None:
            continue
        took = video.completed_at.timestamp() - books[key]
        found.done.append(took)
        found.done_aside.append(took - downloads.get(key, 0.0))
        if video.rendered_at is not None:
            found.seen.append(video.rendered_at.timestamp() - books[key])
