"""Staff's pages on a million videos: `python -m bench.admin [--quick]`. Exits 1 when a goal is missed."""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.web.sizes import FULL, QUICK, Size
from bench.web.stack import Stack

PAGE_GOAL, LEDGER_GOAL, RETENTION_GOAL = 0.5, 20.0, 20.0
REPEATS = 5


@dataclass(frozen=True)
class Figure:
    name: str
    seconds: float
    queries: int
    goal: float

    @property
    def is_kept(self) -> bool:
        return self.seconds <= self.goal

    def __str__(self) -> str:
        verdict = "kept" if self.is_kept else "MISSED"
        return f"{self.name:<34} {self.seconds:>9.3f} {self.queries:>8} {self.goal:>7.1f}  {verdict}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.admin", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK.videos:,} videos instead of {FULL.videos:,}")
    size = QUICK if parser.parse_args().quick else FULL
    say(f"bench: {size.videos:,} videos; {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    with Stack():
        figures = measure(size)
    say("", f"{'':<34} {'seconds':>9} {'queries':>8} {'goal':>7}", *(str(figure) for figure in figures))
    return 0 if all(figure.is_kept for figure in figures) else 1


def measure(size: Size) -> list[Figure]:
    from django.conf import settings  # noqa: PLC0415 - the settings must find the environment of the stack

    from bench.admin import rows  # noqa: PLC0415 - models load only once Django is set up
    from billing.ledger.ledger_check import check_all_wallets  # noqa: PLC0415 - models load only once Django is set up
    from videos.lifecycle import retention  # noqa: PLC0415 - models load only once Django is set up

    settings.ALLOWED_HOSTS, settings.REQUIRE_STAFF_TOTP = ["testserver"], False
    rows.load(size)
    # The pages are the median of a few; the others change what they find, or are too long to repeat.
    figures = [timed(name, page, PAGE_GOAL, repeats=REPEATS) for name, page in pages().items()]
    figures.append(timed("proof of the ledger", lambda: proved(list(check_all_wallets())), LEDGER_GOAL))
    figures.append(timed("retention: 200 warned, 200 expired", retention.apply_retention, RETENTION_GOAL))
    figures.append(timed("retention: nothing is due", retention.apply_retention, RETENTION_GOAL))
    return figures


def pages() -> dict[str, Callable[[], Any]]:
    from django.db.models import Count  # noqa: PLC0415 - the settings must find the environment of the stack
    from django.test import Client  # noqa: PLC0415 - the settings must find the environment of the stack

    from accounts.models import Account, User  # noqa: PLC0415 - models load only once Django is set up
    from videos.models import Video  # noqa: PLC0415 - models load only once Django is set up

    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", "bench-bench-bench"))
    video = Video.objects.filter(status="completed").order_by("created_at")[1_000]
    videos, email = "/admin/videos/video/", User.objects.get(pk=video.created_by_id).email
    large = Account.objects.alias(people=Count("members")).order_by("-people")[0].pk

    def page(path: str, **query: str) -> Callable[[], Any]:
        def ask() -> None:
            answer = client.get(path, query, secure=True)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} {query}: {answer.status_code}")

        return ask

    return {
        "home page, nothing remembered": forgetting(page("/admin/")),
        "home page": page("/admin/"),
        "its panels, refreshed": page("/admin/home/"),
        "page of the largest customer": page(f"/admin/accounts/account/{large}/change/"),
        "videos of that customer": page(videos, account__id__exact=str(large)),
        "margin page": page("/admin/margin/"),
        "alarms": page("/admin/videos/operatoralarm/"),
        "list of videos": page(videos),
        "page 3 of it": page(videos, p="3"),
        "failed videos": page(videos, status__exact="failed"),
        "queued videos": page(videos, status__exact="queued"),
        "search by id": page(videos, q=str(video.pk)),
        "search by HeyGen's id": page(videos, q=str(video.provider_video_id)),
        "search by e-mail": page(videos, q=email),
        "search by part of a title": page(videos, q=f"sale {video.title.split()[-1]}"),
        "search by a title of all": page(videos, q="spring"),
        "search for nothing": page(videos, q="no such title"),
        "page of a video": page(f"{videos}{video.pk}/change/"),
        "list of accounts": page("/admin/accounts/account/"),
        "account by e-mail": page("/admin/accounts/account/", q=email),
        "list of events of videos": page("/admin/videos/videoevent/"),
        "wallet by account": page("/admin/billing/wallet/", q=str(video.account_id)),
        "hold by reference": page("/admin/billing/hold/", q=video.money_reference),
    }


def forgetting(page: Callable[[], Any]) -> Callable[[], Any]:
    from django.core.cache import cache  # noqa: PLC0415 - the settings must find the environment of the stack

    from genvid import process_cache  # noqa: PLC0415 - the settings must find the environment of the stack

    def ask() -> None:
        cache.clear()
        process_cache.clear_all()
        page()

    return ask


def proved(found: list[Any]) -> None:
    if found:
        raise RuntimeError(f"The loaded ledger does not prove: {found[0]}")


def timed(name: str, action: Callable[[], Any], goal: float, *, repeats: int = 1) -> Figure:
    from django.db import connection  # noqa: PLC0415 - the settings must find the environment of the stack
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 - the settings must find the environment

    seconds = []
    with CaptureQueriesContext(connection) as captured:
        for _ in range(repeats):
            begun = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - begun)
    return Figure(name, statistics.median(seconds), len(captured) // repeats, goal)


def say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
