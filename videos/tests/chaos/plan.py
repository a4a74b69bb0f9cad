"""The orders and outages of a chaos run, all drawn from one seed before the run starts."""

import os
import secrets
from dataclasses import dataclass
from random import Random

WORDS = ("spring", "sale", "opens", "today", "with", "many", "new", "things", "for", "every", "home", "and", "garden")
# Script directives of the sandbox, by weight. Only `fail` ends a video without a file.
DIRECTIVES = {"": 70, "[[fail]]": 6, "[[nourl]]": 4, "[[expired]]": 5, "[[slow:3]]": 5, "[[lost]]": 5, "[[html]]": 5}
FOLLOW_UPS = {"keep": 80, "cancel": 12, "delete": 8}
SENT_TWICE_SHARE = 0.12
CAPTIONED_SHARE = 0.1
PHOTO_EVERY = 4
"""One order in so many films its customer's uploaded photo."""


@dataclass(frozen=True)
class Order:
    """A video that a customer orders, and what the customer does with it afterwards."""

    number: int
    customer: int
    script: str
    captions: bool
    with_photo: bool
    sent_twice: bool
    follow_up: str

    @property
    def name(self) -> str:
        return f"order-{self.number}"


@dataclass(frozen=True)
class Outage:
    """A service that is killed or emptied. Times in seconds; `at` counts from the first order."""

    at: float
    what: str
    which: int = 0
    down_for: float = 0.0


@dataclass(frozen=True)
class Plan:
    """Sizes and times of a run. Times in seconds."""

    seed: int
    videos: int
    accounts: int
    workers: int
    min_storm_seconds: float
    max_storm_seconds: float
    patience: float

    @classmethod
    def from_environment(cls) -> "Plan":
        videos = int(os.environ.get("VIDEOS", "240"))
        return cls(
            seed=int(os.environ.get("SEED") or secrets.randbelow(10**9)),
            videos=videos,
            accounts=int(os.environ.get("ACCOUNTS", "30")),
            workers=int(os.environ.get("CHAOS_WORKERS", "4")),
            min_storm_seconds=min(60.0, 15.0 + videos / 10),
            max_storm_seconds=150.0 + videos * 0.8,
            patience=float(os.environ.get("PATIENCE", "180")),
        )

    def orders(self) -> list[Order]:
        rng = Random(f"{self.seed} orders")
        return [self._order(number, rng) for number in range(self.videos)]

    def _order(self, number: int, rng: Random) -> Order:
        directive = rng.choices([*DIRECTIVES], [*DIRECTIVES.values()])[0]
        words = " ".join(rng.choices(WORDS, k=rng.randint(3, 12)))
        return Order(
            number=number,
            customer=number % self.accounts,
            script=f"Order {number}: {words}. {directive}".strip(),
            captions=rng.random() < CAPTIONED_SHARE,
            with_photo=number % PHOTO_EVERY == 0,
            sent_twice=rng.random() < SENT_TWICE_SHARE,
            follow_up=rng.choices([*FOLLOW_UPS], [*FOLLOW_UPS.values()])[0],
        )

    def outages(self) -> list[Outage]:
        """Outages by time; web, sandbox and PostgreSQL fail at least once before the shortest storm ends."""
        rng, end = Random(f"{self.seed} blows"), self.min_storm_seconds
        found = [
            Outage(end * rng.uniform(0.10, 0.25), "web", down_for=0.5),
            Outage(end * rng.uniform(0.30, 0.45), "sandbox", down_for=rng.uniform(0.5, 2)),
            Outage(end * rng.uniform(0.55, 0.75), "postgres", down_for=rng.uniform(0.2, 1.5)),
        ]
        found += self._repeated(rng, "worker", 3.0, 7.0)
        found += self._repeated(rng, "redis", 6.0, 14.0)
        found += self._repeated(rng, "web", 35.0, 60.0)
        return sorted(found, key=lambda outage: outage.at)

    def _repeated(self, rng: Random, what: str, least: float, most: float) -> list[Outage]:
        found, at = [], rng.uniform(least, most)
        while at < self.max_storm_seconds:
            down_for = rng.uniform(0.3, 2.0) if what == "worker" else 0.5
            found.append(Outage(at, what, rng.randrange(self.workers), down_for))
            at += rng.uniform(least, most)
        return found


# The sandbox's faults during the storm. Rates are shares of requests.
FAULTS = {
    "render_seconds": 0.7,
    "stall_seconds": 4.0,
    "stall_rate": 0.01,
    "error_rate": 0.03,
    "late_error_rate": 0.03,
    "garbage_rate": 0.01,
    "rate_limit_rate": 0.005,
    "making_failure_rate": 0.12,
    "drop_answer_rate": 0.04,
    "expired_link_rate": 0.05,
    "truncate_rate": 0.05,
    "webhooks": "chaos",
    "webhook_late_seconds": 3.0,
    "webhook_retry_scale": 0.05,
    "retry_after": 1,
}
NO_FAULTS = {name: 0 for name in FAULTS if name.endswith("_rate")} | {"webhooks": "normal"}

# Seconds. Leases are short, so that work of a killed process is soon taken over, but longer than any call.
FAST_SETTINGS = {
    "DISPATCH_SECONDS": "0.3",
    "POLL_SECONDS": "0.5",
    "SWEEP_SECONDS": "0.7",
    "BACKFILL_SECONDS": "5",
    "LEARN_SECONDS": "5",
    "UPLOAD_SWEEP_SECONDS": "1",
    "OWN_AVATAR_LEASE": "15",
    "HEYGEN_READ_TIMEOUT": "3",
    "HEYGEN_WRITE_TIMEOUT": "3",
    "VIDEO_SUBMIT_LEASE": "7",
    "VIDEO_STORE_LEASE": "4",
    "VIDEO_DOWNLOAD_TIMEOUT": "10",
    "VIDEO_RETRY_SECONDS": "0.3",
    "IDEMPOTENCY_LEASE": "8",
    "EXPECTED_RENDER_BASE": "1",
    "EXPECTED_RENDER_FACTOR": "0",
    "HEYGEN_MAX_CONCURRENT": "12",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "INFO",
}
# An acknowledged commit must survive a crash: the usual flags of the tests do not guarantee that.
POSTGRES_FLAGS = ("synchronous_commit=on",)
FREE_SPEECH_SECONDS = 3
"""So few a day that most texts cost a credit."""
WALLET_DOLLARS = 1_000_000
SLOTS_AT_SANDBOX = 10
"""Fewer than HEYGEN_MAX_CONCURRENT, so that HeyGen itself says 429 now and then."""
