"""The settings that can be changed while the sandbox runs, and their defaults."""

import random
from collections import Counter
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_args, get_type_hints

from genvid.sandbox.api_errors import refuse
from genvid.sandbox.store import Store

RENDERERS = ("full", "clip", "canned")
STRIPE_WEBHOOK_MODES = ("normal", "off", "doubled", "late", "reordered", "forged", "chaos", "held")
FINAL_FAILURES = ("canceled", "unpaid")
WEBHOOK_MODES = ("normal", "off", "doubled", "late", "reordered", "unsigned", "forged", "bare", "chaos")

WORDS = {
    "webhooks": WEBHOOK_MODES,
    "renderer": RENDERERS,
    "stripe_webhooks": STRIPE_WEBHOOK_MODES,
    "stripe_final_failure": FINAL_FAILURES,
}


@dataclass(frozen=True)
class Settings:
    renderer: str = "full"
    concurrency: int = 10
    render_seconds: float = 0.0
    render_spread: float = 0.0
    submit_seconds: float = 0.0
    latency_seconds: float = 0.0
    stuck: bool = False
    fail_with: str | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    completed_without_url: int = 0
    link_lifetime: int = 7 * 24 * 3600
    expired_links: int = 0
    truncate_downloads: int = 0
    download_seconds: float = 0.0
    visible_after: float = 0.0
    seed: int | None = None
    drop_answer_rate: float = 0.0
    late_error_rate: float = 0.0
    error_rate: float = 0.0
    garbage_rate: float = 0.0
    rate_limit_rate: float = 0.0
    calls_per_second: int = 0
    stall_rate: float = 0.0
    stall_seconds: float = 5.0
    expired_link_rate: float = 0.0
    truncate_rate: float = 0.0
    retry_after: int = 1
    avatar_seconds: float = 1.0
    making_failure: str | None = None
    making_failure_rate: float = 0.0
    most_own: int = 0
    consent_by_itself: bool = True
    webhooks: str = "normal"
    webhook_late_seconds: float = 5.0
    webhook_event_id: bool = True
    webhook_timestamp: bool = True
    webhook_retry_scale: float = 1.0
    webhook_timeout: float = 10.0
    stripe_webhooks: str = "normal"
    stripe_final_failure: str = "canceled"


class StoredSettings:
    """The settings in force. They are in the store, so that a restart keeps them."""

    def __init__(self, store: Store, **defaults: Any) -> None:
        self._store = store
        self._defaults = replace(Settings(), **defaults)
        self.current = replace(self._defaults, **store.setting("settings", {}))
        self.rng = random.Random(self.current.seed)
        self.times_set: Counter[str] = Counter()
        """How often each setting was written, with any value: counts that start over at each writing compare it."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self.current)

    def update(self, values: Any) -> None:
        self._set({**self._store.setting("settings", {}), **_checked(values)})
        self.times_set.update(values.keys())

    def reset(self) -> None:
        self._set({})

    def consume(self, name: str) -> bool:
        """Lowers a setting that counts by one. False when it is zero already."""
        left = getattr(self.current, name)
        if left > 0:
            self.update({name: left - 1})
        return bool(left > 0)

    def fault_occurs(self, name: str) -> bool:
        """Draws whether a fault of this rate happens now, and counts it when it does."""
        happens = self.rng.random() < float(getattr(self.current, name))
        if happens:
            self._store.count("drawn_faults", "rate", name)
        return happens

    def _set(self, values: dict[str, Any]) -> None:
        before = self.current.seed
        self._store.set("settings", values)
        self.current = replace(self._defaults, **values)
        if self.current.seed != before:
            self.rng.seed(self.current.seed)


def _checked(values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        refuse("", "Settings are a JSON object")
    types = get_type_hints(Settings)
    known = {field.name for field in fields(Settings)}
    for name, value in values.items():
        if name not in known or not _fits(value, types[name]):
            refuse(name, f"{name} is not a setting, or {value!r} is not its kind of value")
    for name, words in WORDS.items():
        if values.get(name, words[0]) not in words:
            refuse(name, f"{name} must be one of " + ", ".join(words))
    return values


def _fits(value: Any, kind: Any) -> bool:
    kinds = get_args(kind) or (kind,)
    if float in kinds:
        kinds = (*kinds, int)
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
