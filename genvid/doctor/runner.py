"""Runs checks at the same time, each within its own time."""

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from django.db import connections
from django.utils.module_loading import autodiscover_modules

from genvid.doctor.checks import CHECKS, PARTS, Check, Finding, Level, failed


@dataclass(frozen=True)
class Report:
    """What was found of one part; `level` is that of its worst finding."""

    part: str
    findings: Sequence[Finding]

    @property
    def level(self) -> Level:
        return max((each.level for each in self.findings), default=Level.OK)

    @property
    def found(self) -> str:
        """What is wrong, or everything where nothing is."""
        return "; ".join(each.found for each in self._shown())

    @property
    def advice(self) -> str:
        return " ".join(dict.fromkeys(each.advice for each in self._shown() if each.advice))

    def _shown(self) -> list[Finding]:
        return [each for each in self.findings if each.level or not self.level]


def select(only: Collection[str] = (), *, outside: bool = False) -> list[Check]:
    """All registered checks, or those of the parts `only`, or those of the `outside` world."""
    autodiscover_modules("doctor")
    return [each for each in CHECKS if (not only or each.part in only) and (each.is_outside or not outside)]


def examine(checks: Sequence[Check]) -> Iterator[Report]:
    """The reports of the parts of `checks`, in their order. A check that does not end is left alone."""
    runs = [_Run(each) for each in checks]
    for part in PARTS:
        if mine := [run for run in runs if run.check.part == part]:
            yield Report(part, [finding for run in mine for finding in run.result()])


class _Run:
    def __init__(self, check: Check) -> None:
        self.check = check
        self._found: list[Finding] = []
        self._deadline = time.monotonic() + check.seconds
        # A daemon: one that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name=f"doctor-{check.part}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._found = self.check.findings()
        finally:
            connections.close_all()

    def result(self) -> list[Finding]:
        self._thread.join(max(0.0, self._deadline - time.monotonic()))
        if self._thread.is_alive():
            return [failed(f"no answer in {self.check.seconds:g} s", self.check.advice)]
        return self._found
