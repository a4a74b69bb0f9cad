"""The cases: designs, sizes and times in seconds."""

from dataclasses import dataclass

WORKERS = 2
THREADS = 8
ACCOUNTS = 30
NAIVE_POLL = 5.0
SPREAD = 0.25
"""Sigma of the lognormal distribution of render times."""
WARM_UP = 40
"""Videos before the measured ones: they open connections and set the pipeline's render times."""
SCRIPT = "Hello and welcome to our spring sale. Everything in the shop is a third off until Sunday evening."


@dataclass(frozen=True)
class Case:
    """`design`: "webhooks" and "polling" are ours, with and without HeyGen's webhooks; "naive" is the reference."""

    design: str
    in_flight: int
    videos: int
    render_seconds: float

    @property
    def name(self) -> str:
        return f"{self.design}-{self.in_flight}"

    @property
    def patience(self) -> float:
        return 120 + self.render_seconds * 4 + self.videos * 0.3


def cases(in_flight: int, videos: int, render_seconds: float) -> list[Case]:
    return [Case(design, in_flight, videos, render_seconds) for design in ("webhooks", "polling", "naive")]


QUICK = cases(200, 400, 60.0)
FULL = [*QUICK, *cases(2000, 2000, 300.0)]

# Expected render times before any were measured: those of the warm-up, in seconds. The rest is as in production.
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "bench.settings",
    "EXPECTED_RENDER_BASE": "1",
    "EXPECTED_RENDER_FACTOR": "0",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "INFO",
}
POSTGRES_FLAGS = ("synchronous_commit=on", "fsync=on", "full_page_writes=on", "shared_buffers=128MB")
WALLET_DOLLARS = 10_000_000
