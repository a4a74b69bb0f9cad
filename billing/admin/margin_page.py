"""The staff's margin page: revenue, what the provider costs, and margin, by day, tier, product and engine.

With plots and as CSV. A cost that is not known is said to be, and the margin is at most the figure then.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from billing import money
from billing.admin.home_panels import SEE_MONEY, money_series
from billing.purchases import daily_margin
from billing.purchases.daily_margin import Line
from billing.purchases.margin import cents, cost_text, margin_text
from billing.purchases.margin_by_product import by_product
from genvid.charts import chart
from genvid.spreadsheets import escape_formula
from genvid.staff_home import Page, add_pages
from genvid.staff_menu import add_link
from genvid.staff_reports import Breakdown, BreakdownRow, add_breakdown, breakdowns

MAX_DAYS = 366
DEFAULT_DAYS = 30
PROVIDER = "Provider cost"
UNKNOWN = "unknown_costs"
COLUMNS = ("from", "to", "currency", "revenue", "provider_cost", "margin", "margin_percent", "charges", UNKNOWN)


class SpanForm(forms.Form):
    first = forms.DateField(label="From", widget=forms.DateInput({"type": "date"}))
    last = forms.DateField(label="To", widget=forms.DateInput({"type": "date"}))
    currency = forms.RegexField(r"^[A-Za-z]{3}$", label="Currency", widget=forms.TextInput({"size": 3}))

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        first, last = given.get("first"), given.get("last")
        if first and last and not 0 <= (last - first).days < MAX_DAYS:
            raise forms.ValidationError(f"From one day to {MAX_DAYS} days, the first of them first.")
        return given


@dataclass(frozen=True)
class Span:
    first: date
    last: date
    currency: str


BY: dict[str, tuple[str, Callable[[Span], list[Line]]]] = {
    "day": ("By day", lambda span: daily_margin.by_day(span.first, span.last, currency=span.currency)),
    "tier": ("By tier", lambda span: daily_margin.by_tier(span.first, span.last, currency=span.currency)),
}


def margin_page(request: HttpRequest) -> HttpResponse:
    form = SpanForm(_given(request))
    span = Span(**form.cleaned_data | {"currency": form.cleaned_data["currency"].lower()}) if form.is_valid() else None
    asked = request.GET.get("csv", "")
    if span and asked in BY:
        return _csv_of_lines(asked, span)
    if span and asked in breakdowns:
        return _csv_of_breakdown(breakdowns[asked], span)
    context = admin.site.each_context(request) | {"title": "Margin", "form": form, "sections": []}
    if span:
        days = BY["day"][1](span)
        context |= {"sections": _sections(span, days)}
        context |= {"total": _cells(daily_margin.total(days, "Total"))}
        context |= {"query": f"first={span.first}&last={span.last}&currency={span.currency}"}
    return TemplateResponse(request, "billing/margin.html", context)


def _given(request: HttpRequest) -> dict[str, Any]:
    today = timezone.now().astimezone(UTC).date()
    first = today - timedelta(days=DEFAULT_DAYS - 1)
    default = {"first": first.isoformat(), "last": today.isoformat(), "currency": daily_margin.main_currency()}
    return default | {name: request.GET[name] for name in default if name in request.GET}


def _sections(span: Span, days: list[Line]) -> list[dict[str, Any]]:
    found = [_section(name, title, days if name == "day" else read(span), span) for name, (title, read) in BY.items()]
    return [*found, *(_breakdown(each, span) for each in breakdowns.values())]


def _section(name: str, title: str, lines: list[Line], span: Span) -> dict[str, Any]:
    series = money_series(lines) if lines else {}
    about = f"{', '.join(series).capitalize()}, {title.lower()}, from {span.first} to {span.last}."
    heads = ("", "Revenue", PROVIDER, "Margin", "Margin %", "Charges")
    rows = [_cells(line) for line in lines]
    plot = chart(f"margin-{name}", about, [line.name for line in lines], series)
    return {"name": name, "title": title, "heads": heads, "rows": rows, "chart": plot, "is_bars": name != "day"}


def _cells(line: Line) -> list[str]:
    percent = "-" if line.percent is None else f"{line.percent}"
    margin = margin_text(line.margin, line.currency, line.unknown_costs)
    cost = cost_text(line.provider_microdollars, line.unknown_costs)
    amounts = (money.money_text(line.revenue, line.currency), cost)
    return [line.name, *amounts, margin, percent, str(line.charges)]


def _breakdown(each: Breakdown, span: Span) -> dict[str, Any]:
    rows = each.read(span.first, span.last)
    units = _units(rows)
    about = f"Provider cost, {each.title.lower()}, from {span.first} to {span.last}."
    series = {"provider": [cents(row.provider_microdollars) / 100 for row in rows]}
    plot = chart(f"margin-{each.name}", about, [row.name for row in rows], series)
    cells = [
        [row.name, *(str(row.units[unit]) for unit in units), cost_text(row.provider_microdollars, row.unknown_costs)]
        for row in rows
    ]
    heads = ("", *units, PROVIDER)
    return {"name": each.name, "title": each.title, "heads": heads, "rows": cells, "chart": plot, "is_bars": True}


def _units(rows: Sequence[BreakdownRow]) -> list[str]:
    return list(rows[0].units) if rows else []


def _cost_cells(row: BreakdownRow | Line) -> tuple[int | None, int]:
    """The known cost, empty where nothing is known of it, and the number of unknown ones."""
    is_unknown = row.unknown_costs and not row.provider_microdollars
    return (None if is_unknown else cents(row.provider_microdollars)), row.unknown_costs


def _csv_of_lines(name: str, span: Span) -> HttpResponse:
    return _csv(name, (name, *COLUMNS), [_row_of_line(line, span) for line in BY[name][1](span)], span)


def _row_of_line(line: Line, span: Span) -> tuple[Any, ...]:
    cost, unknown = _cost_cells(line)
    figures = (line.revenue, cost, line.margin, line.percent, line.charges, unknown)
    return (escape_formula(line.name), span.first, span.last, span.currency, *figures)


def _csv_of_breakdown(each: Breakdown, span: Span) -> HttpResponse:
    found = each.read(span.first, span.last)
    units = _units(found)
    rows = [
        (escape_formula(row.name), span.first, span.last, *(row.units[unit] for unit in units), *_cost_cells(row))
        for row in found
    ]
    return _csv(each.name, (each.name, "from", "to", *units, "provider_cost", UNKNOWN), rows, span)


def _csv(name: str, head: Sequence[str], rows: Sequence[Sequence[Any]], span: Span) -> HttpResponse:
    file = f"margin-by-{name}-{span.first}-{span.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    csv.writer(response).writerows([head, *rows])
    return response


add_breakdown(Breakdown("product", "By product", by_product))
add_pages(Page("margin", "margin", margin_page, SEE_MONEY))
add_link("Money", "Margin", "admin:margin", SEE_MONEY)
