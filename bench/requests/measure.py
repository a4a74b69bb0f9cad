"""Measures CPU time and counts. The cases alternate, so that other load on the machine affects all alike."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median_low
from typing import Any

from django.db import connection
from redis.connection import HiredisRespSerializer, PythonRespSerializer

from bench.requests.cases import Case
from bench.requests.report import Figures
from bench.requests.wsgi_calls import Answer, call

COUNTED = 5


def measure(cases: list[Case], *, rounds: int, requests: int, warm_up: int) -> dict[str, Figures]:
    """Run `warm_up` requests of each case, then `rounds` of `requests`; counts come from a few more, untimed ones."""
    for case in cases:
        _measure_cpu(case, warm_up)
    with _heap_set_aside():
        found = {case.name: Figures([], *_counts(case), beside=case.beside) for case in cases}
        for _ in range(rounds):
            for case in cases:
                gc.collect()
                found[case.name].rounds.append(_measure_cpu(case, requests))
    return found


@contextmanager
def _heap_set_aside() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _measure_cpu(case: Case, requests: int) -> float:
    environs = [case.request().environ() for _ in range(requests)]
    begun = time.process_time()
    answers = [call(environ) for environ in environs]
    spent = time.process_time() - begun
    for answer in answers:
        _settle(case, answer)
    return spent / requests * 1e6


def _settle(case: Case, answer: Answer) -> None:
    if answer.status != case.status:
        raise RuntimeError(f"{case.name} answered {answer.status}, not {case.status}: {answer.body[:500]!r}")
    if case.undo:
        case.undo(answer)


def _counts(case: Case) -> tuple[int, int]:
    """SQL statements and Redis commands of most requests: now and then one refreshes a cache."""
    counts = [_count(case) for _ in range(COUNTED)]
    return median_low(statements for statements, _ in counts), median_low(commands for _, commands in counts)


def _count(case: Case) -> tuple[int, int]:
    environ = case.request().environ()
    with _count_statements() as statements, _count_commands() as commands:
        answer = call(environ)
    _settle(case, answer)
    return len(statements), len(commands)


@contextmanager
def _count_statements() -> Iterator[list[str]]:
    """Statements sent by Django, without BEGIN, COMMIT and the health check of a kept connection."""
    seen: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield seen


@contextmanager
def _count_commands() -> Iterator[list[str]]:
    """A script counts once, each command of a pipeline by itself: all are packed one by one before they are sent."""
    seen: list[str] = []
    plain = {kind: kind.pack for kind in (HiredisRespSerializer, PythonRespSerializer)}
    for kind, pack in plain.items():
        kind.pack = _noting(seen, pack)  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        for kind, pack in plain.items():
            kind.pack = pack  # type: ignore[method-assign]


def _noting(seen: list[str], pack: Callable[..., Any]) -> Callable[..., Any]:
    def noting(packer: Any, *words: Any) -> Any:
        seen.append(str(words[0]))
        return pack(packer, *words)

    return noting
