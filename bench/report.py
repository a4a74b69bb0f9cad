"""The table of results: ours with and without webhooks, the naive design, and their ratio."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Figures, quantile
from bench.plan import WARM_UP, Case

Row = tuple[str, str, dict[str, float]]
MAX_SHAPES = 40
SHOWN = 230
HEADER = ("", "webhooks", "polling", "naive", "ratio")


def tables(found: list[Figures]) -> Iterator[str]:
    for in_flight in sorted({each.case.in_flight for each in found}):
        yield from _table({each.case.design: each for each in found if each.case.in_flight == in_flight})


def targets(found: list[Figures]) -> Iterator[tuple[str, bool]]:
    for each in found:
        if each.case.design == "naive":
            continue
        yield f"{each.case.name}: all {each.case.videos} videos completed", each.not_completed == 0
        most = 0.2 if each.case.design == "webhooks" else 1.5
        yield f"{each.case.name}: {each.extra_calls:.2f} of at most {most} calls a video", each.extra_calls <= most
        if each.case.design == "webhooks":
            middle = quantile(each.done_aside, 50)
            yield f"{each.case.name}: {middle:.2f} of at most 1 s from HeyGen's end to ours, p50", middle < 1


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
    yield row("SQL statements a video", ".1f", lambda f: f.statements / max(1, f.completed))
    yield row("transactions a video", ".1f", lambda f: f.transactions / max(1, f.completed))
    for title, part in (("web and workers", "ours"), ("of it web", "web"), ("PostgreSQL", "postgres"),
                        ("Redis", "redis"), ("sandbox", "sandbox")):  # fmt: skip
        yield row(f"CPU s a 1,000 videos: {title}", ".1f", lambda f, p=part: f.cpu[p] * 1000 / max(1, f.completed))
    yield row("most in flight at once", ".0f", lambda f: f.peak_in_flight)
    yield row("all done after, s", ".0f", lambda f: f.seconds)
    yield row("not completed", ".0f", lambda f: f.not_completed)
