"""The staff's home page. Apps add panels, work to do and look-ups; this module knows none of them.

A figure is read by index, or is remembered for some seconds by whoever adds it. Each part needs a permission: who lacks
it does not see the part.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path

from genvid.cache import remembered

REFRESH_SECONDS = 15
WORK_SECONDS = 10
MOST_COUNTED = 1000
"""Counting stops there, so that a list of a million rows costs what one of a thousand does."""
LONGEST_TERM = 254


@dataclass(frozen=True)
class HomePanel:
    """`read` gives the context of `template`. Panels are shown by `order`."""

    name: str
    title: str
    template: str
    read: Callable[[HttpRequest], Mapping[str, Any]]
    order: int
    permissions: tuple[str, ...] = ()
    is_wide: bool = False


@dataclass(frozen=True)
class Work:
    """Rows that wait for staff. `rows`: how many, at most one more than `MOST_COUNTED`. `link`: the list of them."""

    name: str
    title: str
    rows: Callable[[], int]
    link: Callable[[], str]
    permission: str
    is_urgent: bool = False


@dataclass(frozen=True)
class LookUp:
    """`find` gives the address of the page of what has this id or e-mail address; None where there is none."""

    find: Callable[[str], str | None]
    permission: str


@dataclass(frozen=True)
class Page:
    """A page of the admin that is no table, at `/admin/<path>/`. Without the permission it is 403."""

    path: str
    name: str
    view: Callable[[HttpRequest], HttpResponse]
    permission: str


_pages: list[Page] = []
_panels: dict[str, HomePanel] = {}
_work: dict[str, Work] = {}
_look_ups: list[LookUp] = []


def add_panels(*panels: HomePanel) -> None:
    _panels.update({panel.name: panel for panel in panels})


def add_work(*work: Work) -> None:
    _work.update({each.name: each for each in work})


def add_look_ups(*look_ups: LookUp) -> None:
    _look_ups.extend(look_ups)


def add_pages(*pages: Page) -> None:
    _pages.extend(pages)


def urls(site: AdminSite) -> list[URLPattern]:
    pages = [path(f"{page.path}/", site.admin_view(_guarded(page)), name=page.name) for page in _pages]
    own = {"home": panels_fragment, "find": find}
    return [*pages, *(path(f"{name}/", site.admin_view(view), name=name) for name, view in own.items())]


def _guarded(page: Page) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        if not _may(request, page.permission):
            raise PermissionDenied
        return page.view(request)

    return view


def count_rows(rows: Any) -> int:
    counted: int = rows.order_by()[: MOST_COUNTED + 1].count()
    return counted


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback for the context of the admin's first page."""
    return context | {"title": "Home", "panels": _shown(request), "seconds": REFRESH_SECONDS}


def stylesheet(_: HttpRequest) -> str:
    """Unfold's callback for our own styles."""
    return static("genvid/staff.css")


def panels_fragment(request: HttpRequest) -> HttpResponse:
    """The panels alone, which the page asks for again while somebody looks at it."""
    return TemplateResponse(request, "genvid/home/panels.html", {"panels": _shown(request)})


def find(request: HttpRequest) -> HttpResponse:
    """Redirect to the page of what has the id or address `q`, or back home with a message."""
    term = request.GET.get("q", "").strip()[:LONGEST_TERM]
    for look_up in _look_ups if term and "\0" not in term else ():
        if _may(request, look_up.permission) and (address := look_up.find(term)):
            return redirect(address)
    if term:
        messages.warning(request, f"Nothing that you may see has the id or address “{term}”.")
    return redirect("admin:index")


def read_work(request: HttpRequest) -> Mapping[str, Any]:
    found = [(work, remembered(f"staff-work:{work.name}", work.rows, WORK_SECONDS)) for work in _work_of(request)]
    waiting = [_described(work, rows) for work, rows in found if rows]
    return {"waiting": waiting, "nothing": [work.title for work, rows in found if not rows]}


def _work_of(request: HttpRequest) -> Iterable[Work]:
    return [work for work in _work.values() if _may(request, work.permission)]


def _described(work: Work, rows: int) -> dict[str, Any]:
    number = f"{MOST_COUNTED}+" if rows > MOST_COUNTED else str(rows)
    return {"title": work.title, "number": number, "link": work.link(), "is_urgent": work.is_urgent}


def _shown(request: HttpRequest) -> list[dict[str, Any]]:
    mine = [panel for panel in _panels.values() if _may(request, *panel.permissions)]
    return [{"panel": panel, "facts": panel.read(request)} for panel in sorted(mine, key=lambda panel: panel.order)]


def _may(request: HttpRequest, *permissions: str) -> bool:
    return bool(request.user.has_perms(permissions))


add_panels(HomePanel("work", "Work to do", "genvid/home/work.html", read_work, order=30))
