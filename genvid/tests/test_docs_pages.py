"""docs/ as pages under /docs/: links, anchors of errors, and refused addresses."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import resolve

from genvid import docs_pages
from genvid.api.schema.refusals import catalogue
from genvid.tests.asserts import refusal_of

DOCS = Path(settings.BASE_DIR) / "docs"
PAGES = sorted(f"/docs/{address}" for address, path in docs_pages.files().items() if path.suffix == ".md")
OTHER_PAGES = {"front", "schema", "docs", "redoc", "admin:index"}
TEXT = """# A `page`

See [errors](errors.md#not_found), [the index](README.md), [a guide](guides/batches.md), [here](#code),
[the source](../manage.py), [elsewhere](https://example.com/a.md) and [the document](openapi.yaml).

![studio](studio.jpg)

<!-- for contributors -->
Say <break time="1s"/> here.

## Code

| code | credits |
|---|--:|
| `first`, `second` | 1 |
| `first` | 2 |
| `code` | 3 |
"""


class Elements(HTMLParser):
    """The attributes of every element of a page, and the text that is none."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.rows: dict[str, str] = {}
        self._row = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.found.append((tag, given))
        if tag == "tr":
            self._row = given.get("id", "")

    def handle_data(self, data: str) -> None:
        if self._row and data.strip():
            self.rows.setdefault(self._row, data)

    def values(self, name: str, *tags: str) -> list[str]:
        return [given[name] for tag, given in self.found if name in given and (not tags or tag in tags)]


def elements_of(client: Client, url: str) -> Elements:
    return Elements(client.get(url).content.decode())


@pytest.fixture(scope="module")
def every_page() -> dict[str, Elements]:
    client = Client()
    return {url: elements_of(client, url) for url in PAGES}


@pytest.fixture
def made(tmp_path: Path, settings, request: pytest.FixtureRequest) -> docs_pages.DocsPage:
    """The page of TEXT, in a folder of its own beside the files that it links to."""
    (tmp_path / "docs" / "guides").mkdir(parents=True)
    for name in (
        "page.md",
        "errors.md",
        "README.md",
        "guides/batches.md",
        "studio.jpg",
        "openapi.yaml",
        "../manage.py",
    ):
        (tmp_path / "docs" / name).write_text(TEXT)
    settings.BASE_DIR = tmp_path
    docs_pages.files.cache_clear()
    request.addfinalizer(docs_pages.files.cache_clear)
    return docs_pages.render_page(tmp_path / "docs" / "page.md", 1)


def test_each_file_of_the_folder_has_its_address():
    sources = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    assert set(PAGES) == {"/docs/" if name == "README" else f"/docs/{name}" for name in sources}
    assert {"/docs/errors", "/docs/guides/batches", "/docs/adr/0001-database-is-the-truth"} < set(PAGES)


@pytest.mark.parametrize("page", ["/docs/", "/docs/errors", "/docs/guides/batches"])
def test_a_page_has_the_title_and_the_header_of_the_site(client, page):
    response = client.get(page)
    html = response.content.decode()
    title = re.search(r"<h1[^>]*>(.+)</h1>", html)[1]
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f"<title>{title} · genvid documentation</title>" in html
    assert '<header class="bar">' in html and '<a class="brand" href="/">' in html


def test_every_link_of_every_page_is_answered_and_its_anchor_exists(client, every_page):
    links = {(page, link) for page, elements in every_page.items() for link in elements.values("href", "a")}
    inside = {(page, link) for page, link in links if "://" not in link and not link.startswith("mailto:")}
    targets = {(link.partition("#")[0] or page, link.partition("#")[2]) for page, link in inside}
    answers = {url: client.get(url).status_code for url, _ in targets if url.startswith("/docs")}
    assert {url: status for url, status in answers.items() if status != 200} == {}
    # Each of these has its own tests, and resolves; the document takes seconds to make.
    assert {resolve(url).view_name for url, _ in targets if url not in answers} == OTHER_PAGES
    anchors = {(url, anchor) for url, anchor in targets if anchor}
    assert {(url, anchor) for url, anchor in anchors if anchor not in every_page[url].values("id")} == set()


def test_no_page_loads_from_elsewhere_or_has_anything_inline(every_page):
    for page, elements in every_page.items():
        loaded = [*elements.values("src"), *elements.values("href", "link")]
        assert [link for link in loaded if not re.match(r"/(?!/)", link)] == [], page
        assert {"style", "script", "break"} & {tag for tag, _ in elements.found} == set(), page
        assert [name for _, given in elements.found for name in given if name == "style" or name.startswith("on")] == []


def test_no_page_has_an_id_twice(every_page):
    ids = {page: elements.values("id") for page, elements in every_page.items()}
    assert {page: found for page, found in ids.items() if len(found) != len(set(found))} == {}


@pytest.mark.parametrize("code", catalogue())
def test_the_link_of_every_error_leads_to_its_row(every_page, code):
    assert every_page["/docs/errors"].rows[code] == code


def test_links_lead_to_pages_and_the_rest_of_the_source_is_only_named(made):
    elements = Elements(made.html)
    assert elements.values("href") == [
        "/docs/errors#not_found",
        "/docs/",
        "/docs/guides/batches",
        "#code",
        "https://example.com/a.md",
        "/api/v1/schema/",
    ]
    assert elements.values("src") == ["/docs/studio.jpg"]
    assert "the source, " in made.html


def test_comments_are_left_out_and_tags_are_text(made):
    assert (made.title, "contributors" in made.html) == ("A page", False)
    assert "Say &lt;break time=&quot;1s&quot;/&gt; here." in made.html


def test_codes_name_their_row_once_and_headings_come_first(made):
    elements = Elements(made.html)
    assert [(tag, given["id"]) for tag, given in elements.found if "id" in given] == [
        ("h1", "a-page"),
        ("h2", "code"),
        ("tr", "first"),
        ("code", "second"),
    ]
    assert elements.values("class", "td") == ["at-right"] * 3


def test_a_page_is_made_once_until_its_file_changes(client):
    docs_pages.render_page.cache_clear()
    before = client.get("/docs/errors").content
    assert (client.get("/docs/errors").content, docs_pages.render_page.cache_info().misses) == (before, 1)


@pytest.mark.parametrize(
    ("url", "caching"), [("/docs/errors", "no-cache"), ("/docs/studio.jpg", "public, max-age=3600")]
)
def test_a_page_that_the_browser_has_is_a_304(client, url, caching):
    response = client.get(url)
    again = client.get(url, HTTP_IF_NONE_MATCH=response["ETag"])
    assert (response["Cache-Control"], again.status_code, again.content) == (caching, 304, b"")


def test_pictures_are_served(client):
    response = client.get("/docs/studio.jpg")
    assert (response["Content-Type"], response.content) == ("image/jpeg", (DOCS / "studio.jpg").read_bytes())


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "nothing/",
        "README",
        "errors.md",
        "../manage.py",
        "%2e%2e/manage.py",
        "..%2fmanage.py",
        "guides/../../manage.py",
        "guides/../errors",
        "/etc/passwd",
        "errors%00",
        "guides",
    ],
)
def test_an_unknown_page_is_a_404_in_the_envelope(client, path):
    assert refusal_of(client.get(f"/docs/{path}")) == (404, "not_found")


@pytest.mark.parametrize(
    ("given", "right"),
    [("/docs", "/docs/"), ("/docs/errors/", "/docs/errors"), ("/docs/guides/lists/", "/docs/guides/lists")],
)
def test_a_slash_too_many_or_too_few_leads_to_the_page(client, given, right):
    response = client.get(given)
    assert (response.status_code, response["Location"]) == (301, right)


def test_pages_of_the_docs_answer_get_only(client):
    assert client.post("/docs/errors").status_code == 405
    assert client.head("/docs/errors").status_code == 200


def test_the_style_of_the_pages_exists(every_page, client: Client):
    styles = [link for link in every_page["/docs/errors"].values("href", "link") if link.endswith(".css")]
    brand, *files = styles
    assert (brand, client.get(brand).status_code) == ("/brand.css", 200)
    assert [finders.find(link.removeprefix("/static/")) is not None for link in files] == [True, True]
