"""The cases: designs, sizes and times in seconds."""

from dataclasses import dataclass

WORKERS = 2
THREADS = 8
ACCOUNTS = 30
NAIVE_POLL = 5.0
SPREAD = 0.25
"""Sigma of the lognormal distribution of render times: those of 10 s last 5 to 15 s."""
CALLS_PER_SECOND = 50
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
        return f"{self.design}-{self.in_flight}-{self.render_seconds:.0f}s"

    @property
    def patience(self) -> float:
        return 120 + self.render_seconds * 4 + self.videos * 0.3

    @property
    def calls_per_second(self) -> int:
        """What the sandbox answers; the naive design, which a refusal would end, is spared the limit."""
        return 0 if self.design == "naive" else CALLS_PER_SECOND


BY_WEBHOOK = Case("webhooks", 200, 400, 60.0)
BURST = Case("webhooks", 2000, 2000, 10.0)
SHORT_POLLS = Case("polling", 200, 600, 10.0)
MANY_SHORT_POLLS = Case("polling", 2000, 2000, 10.0)
LONG_POLLS = Case("polling", 200, 400, 60.0)
QUICK = [BY_WEBHOOK, SHORT_POLLS, BURST]
FULL = [BY_WEBHOOK, LONG_POLLS, Case("naive", 200, 400, 60.0), SHORT_POLLS, BURST, MANY_SHORT_POLLS]

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
