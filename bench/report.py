"""The table of results: ours with and without webhooks, the naive design, and their ratio."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Figures, quantile
from bench.plan import BURST, BY_WEBHOOK, LONG_POLLS, MANY_SHORT_POLLS, SHORT_POLLS, WARM_UP, Case

Row = tuple[str, str, dict[str, float]]
MAX_SHAPES = 40
SHOWN = 230
HEADER = ("", "webhooks", "polling", "naive", "ratio")


@dataclass(frozen=True)
class Goal:
    """A figure of a case that must not be above `most`."""

    case: Case
    title: str
    figure: Callable[[Figures], float]
    most: float


def _done(percent: int) -> Callable[[Figures], float]:
    return lambda figures: quantile(figures.done, percent)


def _per_thousand(part: str) -> Callable[[Figures], float]:
    return lambda figures: figures.cpu[part] * 1000 / max(1, figures.completed)


def _statements(figures: Figures) -> float:
    return figures.statements / max(1, figures.completed)


def _transactions(figures: Figures) -> float:
    return figures.transactions / max(1, figures.completed)


def _status_calls(figures: Figures) -> float:
    return figures.status_calls


def _refused(figures: Figures) -> float:
    return figures.refused


GOALS = (
    Goal(BY_WEBHOOK, "SQL statements a video", _statements, 16),
    Goal(BY_WEBHOOK, "transactions a video", _transactions, 8),
    Goal(BY_WEBHOOK, "CPU s a 1,000 videos: web and workers", _per_thousand("ours"), 16),
    Goal(BY_WEBHOOK, "CPU s a 1,000 videos: PostgreSQL", _per_thousand("postgres"), 4),
    Goal(BY_WEBHOOK, "finished there -> completed here, p95, s", _done(95), 0.06),
    Goal(BY_WEBHOOK, "calls a video beyond order and final read", lambda figures: figures.extra_calls, 0.02),
    Goal(BURST, "all done after, s", lambda figures: figures.seconds, 65),
    Goal(SHORT_POLLS, "finished there -> completed here, p50, s", _done(50), 0.7),
    Goal(SHORT_POLLS, "finished there -> completed here, p95, s", _done(95), 1.3),
    Goal(SHORT_POLLS, "status calls a video", _status_calls, 0.15),
    Goal(LONG_POLLS, "finished there -> completed here, p50, s", _done(50), 0.03 * LONG_POLLS.render_seconds),
    Goal(LONG_POLLS, "status calls a video", _status_calls, 0.15),
    Goal(MANY_SHORT_POLLS, "finished there -> completed here, p50, s", _done(50), 0.8),
    Goal(MANY_SHORT_POLLS, "finished there -> completed here, p95, s", _done(95), 1.6),
    Goal(MANY_SHORT_POLLS, "calls that HeyGen refused", _refused, 0),
    Goal(BURST, "calls that HeyGen refused", _refused, 0),
)


def tables(found: list[Figures]) -> Iterator[str]:
    for in_flight, seconds in sorted({(each.case.in_flight, each.case.render_seconds) for each in found}):
        group = [each for each in found if (each.case.in_flight, each.case.render_seconds) == (in_flight, seconds)]
        yield from _table({each.case.design: each for each in group})


def targets(found: list[Figures]) -> Iterator[tuple[str, bool]]:
    """Of each case whether all videos completed, and the goals."""
    for each in found:
        yield f"{each.case.name:<18}all {each.case.videos} videos completed", each.not_completed == 0
        for goal in GOALS:
            if goal.case == each.case:
                figure = goal.figure(each)
                yield f"{goal.case.name:<18}{goal.title:<44}{figure:>9.2f} of {goal.most:g}", figure <= goal.most


def routes(figures: Figures) -> str:
    called = {route: count for route, count in figures.requests.items() if count}
    return ", ".join(f"{count} {route}" for route, count in sorted(called.items()))


def shapes(folder: Path, case: Case) -> Iterator[str]:
    found: Counter[str] = Counter()
    for path in folder.glob("*.shapes"):
        found.update(json.loads(path.read_text() or "{}"))
    for sql, count in found.most_common(MAX_SHAPES):
        yield f"{count / (case.videos + WARM_UP):7.2f} {_short(sql)}"


def _short(sql: str) -> str:
    return re.sub(r'SELECT ("\w+"\."\w+"(?:, )?){4,}', "SELECT … ", sql).replace('"', "")[:SHOWN]


def _table(by_design: dict[str, Figures]) -> Iterator[str]:
    case = next(iter(by_design.values())).case
    yield ""
    yield f"{case.in_flight} in flight, {case.videos} videos, renders of about {case.render_seconds:.0f} s"
    yield "{:<52}{:>10}{:>10}{:>10}{:>8}".format(*HEADER)
    for title, form, values in _rows(by_design):
        cells = [format(values[design], form) if design in values else "-" for design in HEADER[1:4]]
        yield f"{title:<52}" + "".join(f"{cell:>10}" for cell in cells) + f"{_ratio(values):>8}"


def _ratio(values: dict[str, float]) -> str:
    ours, naive = values.get("webhooks"), values.get("naive")
    return f"{naive / ours:.1f}x" if ours and naive and ours > 0 else ""


def _rows(by_design: dict[str, Figures]) -> Iterator[Row]:
    def row(title: str, form: str, figure: object) -> Row:
        values = {name: figure(each) for name, each in by_design.items()}  # type: ignore[operator]
        return title, form, {name: value for name, value in values.items() if value == value}

    yield row("calls a video beyond order and final read", ".2f", lambda each: each.extra_calls)
    for percent in (50, 95, 99):
        yield row(f"finished there -> known here, p{percent}, s", ".2f", lambda f, p=percent: quantile(f.seen, p))
    for percent in (50, 95, 99):
        yield row(f"finished there -> completed here, p{percent}, s", ".2f", lambda f, p=percent: quantile(f.done, p))
    for percent in (50, 95, 99):
        title = f"  download time aside, p{percent}, s"
        yield row(title, ".2f", lambda f, p=percent: quantile(f.done_aside, p))
    yield row("status calls a video", ".2f", _status_calls)
    yield row("calls that HeyGen refused", ".0f", _refused)
    yield row("SQL statements a video", ".1f", _statements)
    yield row("transactions a video", ".1f", _transactions)
    for title, part in (("web and workers", "ours"), ("of it web", "web"), ("PostgreSQL", "postgres"),
                        ("Redis", "redis"), ("sandbox", "sandbox")):  # fmt: skip
        yield row(f"CPU s a 1,000 videos: {title}", ".1f", _per_thousand(part))
    yield row("most in flight at once", ".0f", lambda f: f.peak_in_flight)
    yield row("all done after, s", ".0f", lambda f: f.seconds)
    yield row("not completed", ".0f", lambda f: f.not_completed)
