"""The tables: one run beside its reference designs, and two runs beside each other."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles


@dataclass
class Figures:
    rounds: list[float]
    statements: int
    commands: int
    beside: str = ""

    @property
    def middle(self) -> float:
        return median(self.rounds)

    @property
    def spread(self) -> float:
        """The interquartile range of the rounds, as a share of the median."""
        if len(self.rounds) < 2:
            return 0.0
        low, _, high = quantiles(self.rounds, n=4)
        return (high - low) / self.middle


Result = dict[str, Figures]


def write(result: Result, path: Path) -> None:
    path.write_text(json.dumps({name: asdict(figures) for name, figures in result.items()}, indent=1) + "\n")


def read(paths: Iterable[Path]) -> Result:
    pooled: Result = {}
    for path in paths:
        for name, fields in json.loads(path.read_text()).items():
            figures = Figures(**fields)
            if name in pooled:
                figures.rounds = pooled[name].rounds + figures.rounds
            pooled[name] = figures
    return pooled


def ratio_to_reference(result: Result, name: str) -> float:
    """The cost of a case as a multiple of its reference design: the median over pairs of adjacent rounds."""
    figures = result[name]
    reference = result[figures.beside]
    return median(ours / theirs for ours, theirs in zip(figures.rounds, reference.rounds, strict=True))


def table(result: Result) -> Iterator[str]:
    yield f"{'CPU of the web process, µs a request':<38}" + _cells("median", "min", "spread", "SQL", "Redis", "x ref.")
    for name, figures in result.items():
        ratio = f"{ratio_to_reference(result, name):.2f}" if figures.beside else ""
        yield f"{name:<38}" + _cells(
            f"{figures.middle:.0f}",
            f"{min(figures.rounds):.0f}",
            f"{figures.spread:.0%}",
            str(figures.statements),
            str(figures.commands),
            ratio,
        )


def comparison(before: Result, now: Result) -> Iterator[str]:
    """Now / before, below 1 being cheaper: `ratio` of the medians, `true` of their multiples of the references."""
    yield f"{'now / before':<38}" + _cells("before", "now", "ratio", "true", "SQL", "Redis")
    for name in [name for name in now if name in before]:
        was, is_now = before[name], now[name]
        yield f"{name:<38}" + _cells(
            f"{was.middle:.0f}",
            f"{is_now.middle:.0f}",
            f"{is_now.middle / was.middle:.2f}",
            f"{ratio_to_reference(now, name) / ratio_to_reference(before, name):.2f}" if is_now.beside else "",
            f"{is_now.statements - was.statements:+d}",
            f"{is_now.commands - was.commands:+d}",
        )


def _cells(*words: str) -> str:
    return "".join(f"{word:>9}" for word in words)
