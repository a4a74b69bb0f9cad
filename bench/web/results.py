"""Figures of both servers, their ratios, and the table. Pure: a run, a file and a test make them alike."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.web.load import Load

OURS, REFERENCE = "ours", "reference"
COLUMNS = ("ours/s", "p50", "p99", "ref./s", "p50", "p99", "x ref.", "CPU", "ref. CPU", "SQL", "Redis", "ref. SQL")


@dataclass(frozen=True)
class Counts:
    """Of one request. `statements` without BEGIN and COMMIT; `trips`: a pipeline or a script is one."""

    statements: int
    savepoints: int
    trips: int


@dataclass
class Figures:
    """Of one call at one server; `loads` are its rounds."""

    loads: list[Load] = field(default_factory=list)
    counts: Counts | None = None

    @property
    def rate(self) -> float:
        return median(load.rate for load in self.loads)

    @property
    def p50(self) -> float:
        return median(load.p50 for load in self.loads)

    @property
    def p99(self) -> float:
        return median(load.p99 for load in self.loads)

    @property
    def cpu(self) -> float:
        return median(load.cpu for load in self.loads)


@dataclass
class Result:
    """`about`: machine and sizes. `calls`: by call, then by server."""

    about: dict[str, Any]
    calls: dict[str, dict[str, Figures]] = field(default_factory=dict)

    def figures(self, call: str, server: str) -> Figures:
        return self.calls.setdefault(call, {}).setdefault(server, Figures())

    def ratio(self, call: str) -> float:
        """Our rate as a multiple of the reference's: the median over rounds that followed each other."""
        both = self.calls[call]
        pairs = zip(both[OURS].loads, both[REFERENCE].loads, strict=True)
        return median(ours.rate / theirs.rate for ours, theirs in pairs)

    def was_loaded(self, call: str) -> bool:
        """At both servers, equally often: a run that was ended in its middle leaves one behind."""
        ours, theirs = (len(self.calls.get(call, {}).get(name, Figures()).loads) for name in (OURS, REFERENCE))
        return ours == theirs > 0


def table(result: Result, titles: dict[str, str]) -> Iterator[str]:
    yield f"{'':<34}" + _cells(*COLUMNS)
    for name in result.calls:
        yield f"{titles[name]:<34}" + _cells(*_row(result, name))


def _row(result: Result, name: str) -> Iterator[str]:
    ours, reference = (result.figures(name, server) for server in (OURS, REFERENCE))
    loaded = result.was_loaded(name)
    for each in (ours, reference):
        yield from (_short(each.rate), _short(each.p50), _short(each.p99)) if loaded else ("", "", "")
    yield f"{result.ratio(name):.2f}" if loaded else ""
    yield from (_short(ours.cpu), _short(reference.cpu)) if loaded else ("", "")
    yield from (str(ours.counts.statements), str(ours.counts.trips)) if ours.counts else ("", "")
    yield str(reference.counts.statements) if reference.counts else ""


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}"


def _cells(*words: str) -> str:
    return "".join(f"{word:>9}" for word in words)


def write(result: Result, checks: list[tuple[str, bool]], path: Path) -> None:
    """The rounds of each call, with what follows from them."""
    calls = {name: {server: _plain(each) for server, each in both.items()} for name, both in result.calls.items()}
    ratios = {name: result.ratio(name) for name in result.calls if result.was_loaded(name)}
    kept = [{"goal": goal, "kept": kept} for goal, kept in checks]
    path.write_text(json.dumps({**result.about, "calls": calls, "ratios": ratios, "goals": kept}, indent=1) + "\n")


def _plain(figures: Figures) -> dict[str, Any]:
    loads = [asdict(load) | {"rate": load.rate} for load in figures.loads]
    return {"rounds": loads, "counts": asdict(figures.counts) if figures.counts else None}
