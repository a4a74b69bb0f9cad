"""Serves `docs/` as HTML under `/docs/`, with anchors for headings and codes, and links between the pages."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape
from django.views.decorators.http import conditional_page, require_safe

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

INDEX = "README"
OPENAPI = "openapi.yaml"
PICTURES = frozenset({".jpg", ".png", ".svg"})
DEEPEST_HEADING = 4
PICTURE_FRESH_SECONDS = 3600


@dataclass(frozen=True)
class DocsPage:
    title: str
    html: str


@require_safe
@conditional_page
def docs_page(request: HttpRequest, address: str = "") -> HttpResponse:
    path = files().get(address)
    if path is None and (known := address.rstrip("/")) in files():
        return HttpResponsePermanentRedirect(_url(known))
    if path is None:
        raise Http404
    if path.suffix in PICTURES:
        kind, _ = mimetypes.guess_type(path.name)
        headers = {"Cache-Control": f"public, max-age={PICTURE_FRESH_SECONDS}"}
        return HttpResponse(path.read_bytes(), content_type=kind, headers=headers)
    page = render_page(path, path.stat().st_mtime_ns)
    html = render_to_string("genvid/docs.html", {"page": page}, request)
    # Revalidated each time, which costs a 304: a release changes pages.
    return HttpResponse(html, headers={"Cache-Control": "no-cache"})


@cache
def files() -> dict[str, Path]:
    folder = Path(settings.BASE_DIR) / "docs"
    return {_address(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if _is_served(path)}


def _is_served(path: Path) -> bool:
    return path.is_file() and (path.suffix == ".md" or path.suffix in PICTURES)


def _address(path: Path) -> str:
    if path.suffix != ".md":
        return path.as_posix()
    return "" if path == Path(f"{INDEX}.md") else path.with_suffix("").as_posix()


@lru_cache(maxsize=256)
def render_page(path: Path, modified: int) -> DocsPage:
    """Cached per process and `modified` (nanoseconds)."""
    environment: MutableMapping[str, Any] = {"path": path}
    html = _markdown().render(path.read_text(encoding="utf-8"), environment)
    return DocsPage(environment["title"], html)


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - start-up would pay for pages that few processes show
    from mdit_py_plugins.anchors import anchors_plugin  # noqa: PLC0415 - likewise

    markdown = MarkdownIt("commonmark").enable("table").use(anchors_plugin, max_level=DEEPEST_HEADING)
    for rule in (_name_page, _mark_codes, _align_by_class, _rewrite_links):
        markdown.core.ruler.push(rule.__name__, rule)
    markdown.add_render_rule("html_block", _render_html)
    markdown.add_render_rule("html_inline", _render_html)
    return markdown


def _render_html(renderer: Any, tokens: list[Token], index: int, options: Any, environment: Any) -> str:
    """Comments are dropped; everything else that looks like HTML is text."""
    html = tokens[index].content
    return "" if html.lstrip().startswith("<!--") else escape(html)


def _name_page(state: StateCore) -> None:
    titles = (after for token, after in zip(state.tokens, state.tokens[1:], strict=False) if token.tag == "h1")
    state.env["title"] = next(titles).content.replace("`", "")


def _mark_codes(state: StateCore) -> None:
    """Codes in the first column of a table become anchors; the first one of a row names the row."""
    taken = {token.attrGet("id") for token in state.tokens if token.type == "heading_open"}
    for row, cell in _first_cells(state.tokens):
        for place, code in enumerate(each for each in cell.children or [] if each.type == "code_inline"):
            if code.content not in taken and not any(map(str.isspace, code.content)):
                taken.add(code.content)
                (code if place else row).attrSet("id", code.content)


def _first_cells(tokens: list[Token]) -> Iterator[tuple[Token, Token]]:
    for index, token in enumerate(tokens):
        if token.type == "tr_open" and tokens[index + 1].type == "td_open":
            yield token, tokens[index + 2]


def _align_by_class(state: StateCore) -> None:
    """The content security policy forbids style attributes."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and (style := token.attrs.pop("style", None)):
            token.attrSet("class", str(style).replace("text-align:", "at-"))


def _rewrite_links(state: StateCore) -> None:
    for token in state.tokens:
        ends: list[Token] = []
        for child in token.children or []:
            if child.type == "image":
                child.attrSet("src", _site_url(str(child.attrGet("src")), state.env["path"]) or "")
            elif child.type == "link_open":
                _rewrite_link(child, state.env["path"])
                ends.append(child)
            elif child.type == "link_close" and ends.pop().hidden:
                _hide(child)


def _rewrite_link(link: Token, path: Path) -> None:
    target = _site_url(str(link.attrGet("href")), path)
    if target is None:
        _hide(link)
    else:
        link.attrSet("href", target)


def _hide(token: Token) -> None:
    token.type, token.hidden, token.content = "text", True, ""


def _site_url(target: str, path: Path) -> str | None:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not parts.path:
        return target
    file = (path.parent / parts.path).resolve()
    folder = Path(settings.BASE_DIR) / "docs"
    if file == folder / OPENAPI:
        return reverse("schema")
    if file not in files().values():
        return None
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return _url(_address(file.relative_to(folder))) + fragment


def _url(address: str) -> str:
    return reverse("docs-page", args=[address] if address else [])
