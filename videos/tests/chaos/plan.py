"""What will be ordered and what will befall it, all drawn from one seed before anything starts."""

import os
import secrets
from dataclasses import dataclass
from random import Random

WORDS = ("spring", "sale", "opens", "today", "with", "many", "new", "things", "for", "every", "home", "and", "garden")
# What an order's script asks of the sandbox, by weight. Only `fail` ends a video without a file.
SPELLS = {"": 70, "[[fail]]": 6, "[[nourl]]": 4, "[[expired]]": 5, "[[slow:3]]": 5, "[[lost]]": 5, "[[html]]": 5}
FATES = {"keep": 80, "cancel": 12, "delete": 8}
DOUBLED_SHARE = 0.12
CAPTIONED_SHARE = 0.1


@dataclass(frozen=True)
class Order:
    """One video that a customer wants, and what the customer will do about it."""

    number: int
    customer: int
    script: str
    captions: bool
    doubled: bool
    fate: str

    @property
    def name(self) -> str:
        return f"order-{self.number}"


@dataclass(frozen=True)
class Blow:
    """Something that goes down (or forgets) at a moment, in seconds after the first order."""

    at: float
    what: str
    which: int = 0
    down_for: float = 0.0


@dataclass(frozen=True)
class Plan:
    """Sizes and times. Times in seconds."""

    seed: int
    videos: int
    accounts: int
    workers: int
    shortest_fire: float
    longest_fire: float
    patience: float

    @classmethod
    def from_environment(cls) -> "Plan":
        videos = int(os.environ.get("VIDEOS", "300"))
        return cls(
            seed=int(os.environ.get("SEED") or secrets.randbelow(10**9)),
            videos=videos,
            accounts=int(os.environ.get("ACCOUNTS", "30")),
            workers=int(os.environ.get("CHAOS_WORKERS", "4")),
            shortest_fire=min(60.0, 15.0 + videos / 10),
            longest_fire=60.0 + videos * 0.8,
            patience=float(os.environ.get("PATIENCE", "180")),
        )

    def orders(self) -> list[Order]:
        dice = Random(f"{self.seed} orders")
        return [self._order(number, dice) for number in range(self.videos)]

    def _order(self, number: int, dice: Random) -> Order:
        spell = dice.choices([*SPELLS], [*SPELLS.values()])[0]
        words = " ".join(dice.choices(WORDS, k=dice.randint(3, 12)))
        return Order(
            number=number,
            customer=number % self.accounts,
            script=f"Order {number}: {words}. {spell}".strip(),
            captions=dice.random() < CAPTIONED_SHARE,
            doubled=dice.random() < DOUBLED_SHARE,
            fate=dice.choices([*FATES], [*FATES.values()])[0],
        )

    def blows(self) -> list[Blow]:
        """The storm, in the order in which it strikes: each great blow at least once before the shortest end."""
        dice, end = Random(f"{self.seed} blows"), self.shortest_fire
        found = [
            Blow(end * dice.uniform(0.10, 0.25), "web", down_for=0.5),
            Blow(end * dice.uniform(0.30, 0.45), "sandbox", down_for=dice.uniform(0.5, 2)),
            Blow(end * dice.uniform(0.55, 0.75), "postgres", down_for=dice.uniform(0.2, 1.5)),
        ]
        found += self._repeated(dice, "worker", 3.0, 7.0)
        found += self._repeated(dice, "redis", 6.0, 14.0)
        found += self._repeated(dice, "web", 35.0, 60.0)
        return sorted(found, key=lambda blow: blow.at)

    def _repeated(self, dice: Random, what: str, least: float, most: float) -> list[Blow]:
        found, at = [], dice.uniform(least, most)
        while at < self.longest_fire:
            down_for = dice.uniform(0.3, 2.0) if what == "worker" else 0.5
            found.append(Blow(at, what, dice.randrange(self.workers), down_for))
            at += dice.uniform(least, most)
        return found


# The sandbox under fire. Rates are shares of requests.
FAULTS = {
    "render_seconds": 0.7,
    "stall_seconds": 4.0,
    "stall_rate": 0.01,
    "error_rate": 0.03,
    "late_error_rate": 0.03,
    "garbage_rate": 0.01,
    "rate_limit_rate": 0.005,
    "drop_answer_rate": 0.04,
    "expired_link_rate": 0.05,
    "truncate_rate": 0.05,
    "webhooks": "chaos",
    "webhook_late_seconds": 3.0,
    "webhook_retry_scale": 0.05,
    "retry_after": 1,
}
PEACE = {name: 0 for name in FAULTS if name.endswith("_rate")} | {"webhooks": "normal"}

# Seconds: leases and waits so short that what a killed process held is soon taken over, but longer than any call.
BRISK = {
    "DISPATCH_SECONDS": "0.3",
    "POLL_SECONDS": "0.5",
    "SWEEP_SECONDS": "0.7",
    "BACKFILL_SECONDS": "5",
    "LEARN_SECONDS": "5",
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
# A commit that was acknowledged must survive: the usual flags let it wait in shared memory.
POSTGRES_FLAGS = ("synchronous_commit=on",)
WALLET_DOLLARS = 1_000_000
SLOTS_AT_SANDBOX = 10
"""Fewer than HEYGEN_MAX_CONCURRENT, so that HeyGen itself says 429 now and then."""
