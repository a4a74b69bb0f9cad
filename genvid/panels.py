"""Panels on a row's page in the admin: tables of what belongs to the row, added by any app above the row's own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from genvid.admin import AppAdmin
from genvid.explanations import PriceStep

Cell = Any
"""Text, or safe HTML; None shows as a dash."""


@dataclass(frozen=True)
class Link:
    text: str
    url: str
    is_outside: bool = False
    """Another site's page opens in a new tab."""

    @property
    def attributes(self) -> SafeString:
        return SafeString('target="_blank" rel="noopener noreferrer"' if self.is_outside else "")


@dataclass(frozen=True)
class Panel:
    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    links: Sequence[Link] = ()
    note: str = ""

    @property
    def table(self) -> dict[str, Any]:
        shown = [["-" if cell in (None, "") else cell for cell in row] for row in self.rows]
        return {"headers": list(self.headers), "rows": shown}


Maker = Callable[[HttpRequest, Any], Panel]


@dataclass(frozen=True, order=True)
class _Offer:
    order: int
    permission: str
    make: Maker = field(compare=False)


_offers: dict[str, dict[str, _Offer]] = {}


def panel(page: str, *, order: int, permission: str) -> Callable[[Maker], Maker]:
    """Show what the function returns on the page of a model, such as "accounts.account", to staff with `permission`."""

    def register(make: Maker) -> Maker:
        _offers.setdefault(page, {})[f"{make.__module__}.{make.__qualname__}"] = _Offer(order, permission, make)
        return make

    return register


def panels_of(request: HttpRequest, row: Model) -> list[Panel]:
    offers = sorted(_offers.get(row._meta.label_lower, {}).values())
    return [offer.make(request, row) for offer in offers if request.user.has_perm(offer.permission)]


class PanelAdmin(AppAdmin):
    """The page of a row with its panels below the form."""

    change_form_outer_after_template = "genvid/panels.html"

    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False,
        form_url: str = "", obj: Any = None,
    ) -> HttpResponse:  # fmt: skip
        if obj is not None:
            context["panels"] = panels_of(request, obj)
        response: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return response


def stylesheet(request: HttpRequest) -> str:
    """For the setting UNFOLD."""
    return static("genvid/admin.css")


# ── Cells


def page_of(row: Model) -> str:
    return reverse(admin_urlname(row._meta, "change"), args=[row.pk])  # type: ignore[arg-type]


def link(text: Any, url: str) -> SafeString:
    return format_html('<a class="text-link underline" href="{}">{}</a>', url, text)


def link_to(row: Model | None, text: Any = None) -> Cell:
    """A link to the page of a row; None for no row."""
    return None if row is None else link(str(row) if text is None else text, page_of(row))


def links(*found: Link | None) -> SafeString:
    shown = [link(each.text, each.url) for each in found if each is not None]
    return format_html("{}", SafeString(" · ".join(shown)))


def list_of(model: type[Model], **filters: Any) -> str:
    """Address of a model's list, filtered: `account__id__exact=…`."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return f"{reverse(admin_urlname(model._meta, 'changelist'))}?{query}"  # type: ignore[arg-type]


def moment(when: Any) -> str | None:
    return f"{when:%Y-%m-%d %H:%M:%S}" if when else None


def label(text: Any, variant: str = "") -> SafeString:
    """A coloured word: "success", "info", "warning", "danger"; without a variant grey."""
    return SafeString(render_to_string("unfold/helpers/label.html", {"text": text, "variant": variant}))


def step_cells(step: PriceStep) -> tuple[Cell, Cell, Cell]:
    amount = label(step.amount, step.colour) if step.colour else step.amount
    how = step.how if step.how_row is None else link_to(step.how_row, step.how)
    return step.name, amount if step.row is None else link_to(step.row, amount), how


# ── Columns of lists


def linked(name: str, *, description: str = "") -> Any:
    """A column that links to the related row's page instead of only naming it."""

    @display(description=description or name.rpartition("__")[2].replace("_", " "), ordering=name)  # type: ignore[untyped-decorator]
    def column(self: Any, row: Any) -> Cell:
        for part in name.split("__"):
            row = getattr(row, part, None)
        return link_to(row)

    return column


def coloured(name: str, colours: Mapping[str, Iterable[str]]) -> Any:
    """A column of statuses, each in its colour: {"success": ("paid",), "danger": ("failed",)}."""
    variants = {str(word): variant for variant, words in colours.items() for word in words}

    @display(description=name.replace("_", " "), ordering=name, label=variants)  # type: ignore[untyped-decorator]
    def column(self: Any, row: Any) -> tuple[str, str]:
        shown = getattr(row, f"get_{name}_display", None)
        return str(getattr(row, name)), str(shown() if shown else getattr(row, name))

    return column


# ── References of the ledger

_references: dict[str, str] = {}


def register_reference(kind: str, view: str) -> None:
    """Ledger references `kind:id` link to this view of the admin. The ledger itself does not know what they mean."""
    _references[kind] = view


def link_reference(reference: str) -> Cell:
    kind, _, key = reference.partition(":")
    if kind in _references:
        try:
            return link(reference, reverse(_references[kind], args=[key]))
        except NoReverseMatch:
            pass
    return reference
