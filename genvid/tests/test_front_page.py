"""The front page and its files, as a browser with the strictest policy would take them."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.test import Client
from pytest_django import Settings

REFERENCES = re.compile(r"""(?:src|href)="([^"]+)\"""")
IMPORTS = re.compile(r"""^import .+ from "\./([a-z]+\.js)";$""", re.MULTILINE)
FOLDER = Path(finders.find("genvid/studio.js")).parent
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.js"))
STYLES = sorted(path.name for path in FOLDER.glob("*.css"))
OF_OTHER_PAGES = {"docs.css", "admin.css", "staff.css", "home.js"}
FILES = (*(name for name in (*SCRIPTS, *STYLES) if name not in OF_OTHER_PAGES), "mark.svg")


@pytest.fixture
def page(client: Client) -> str:
    return client.get("/").content.decode()


def policy_of(client: Client) -> dict[str, str]:
    header = client.get("/").headers["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in header.split("; "))


def test_the_front_page_answers(client):
    response = client.get("/")

    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_the_policy_permits_only_own_scripts_styles_and_calls(client):
    policy = policy_of(client)

    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"


def test_pictures_and_films_come_from_https_in_production(client, settings: Settings):
    settings.HEYGEN_BASE_URL = "https://api.heygen.com"

    assert policy_of(client)["img-src"] == "'self' https: data:"
    assert policy_of(client)["media-src"] == "'self' https: blob:"


def test_pictures_come_from_the_sandbox_when_it_is_the_provider(client, settings: Settings):
    settings.HEYGEN_BASE_URL = "http://127.0.0.1:8124"

    assert policy_of(client)["img-src"] == "'self' https: http://127.0.0.1:8124 data:"


def test_the_script_may_follow_links_into_a_bucket(client, settings: Settings):
    settings.S3_BUCKET = "films"

    assert policy_of(client)["connect-src"] == "'self' https:"


@pytest.mark.parametrize(
    ("endpoint", "named"),
    [("http://10.0.0.7:9000", ["http://10.0.0.7:9000"]), ("https://bucket.example", []), ("", [])],
)
def test_a_bucket_over_plain_http_is_named_where_pages_read_and_send(client, settings: Settings, endpoint, named):
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL = "films", endpoint
    policy = policy_of(client)

    for source in ("connect-src", "img-src", "media-src"):
        assert [each for each in policy[source].split() if "bucket" in each or "10.0.0.7" in each] == named


@pytest.mark.parametrize(("bucket", "word"), [("films", "yes"), ("", "no")])
def test_the_page_knows_whether_large_files_can_be_sent(client, settings: Settings, bucket, word):
    settings.S3_BUCKET = bucket

    assert f'data-direct-uploads="{word}"' in client.get("/").content.decode()


def test_nothing_is_inline(page):
    scripts = re.findall(r"<script\b[^>]*>(.*?)</script>", page, re.DOTALL)

    assert scripts == [""]
    assert re.findall(r"<style\b|\sstyle=|\son[a-z]+=", page) == []


def test_every_reference_stays_on_this_host(page):
    assert [link for link in REFERENCES.findall(page) if not re.match(r"[/#](?!/)", link)] == []


@pytest.mark.parametrize("name", [*SCRIPTS, *STYLES])
def test_a_static_file_names_no_other_host(name):
    text = (FOLDER / name).read_text()

    assert re.findall(r"""https?://|url\(["']?//|@import""", text) == []


@pytest.mark.parametrize("name", FILES)
def test_the_page_uses_every_static_file(page, name):
    """Scripts too, though others import them: the page names them all, so that they come at once."""
    assert f'"/static/genvid/{name}"' in page


def test_the_header_leads_to_the_documentation(client, page):
    assert '<a href="/docs/">Docs</a>' in page
    assert "<h1" in client.get("/docs/").content.decode()


def test_the_page_names_no_static_file_that_does_not_exist(page):
    named = [link.removeprefix("/static/") for link in REFERENCES.findall(page) if link.startswith("/static/")]

    assert [name for name in named if finders.find(name) is None] == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_imports_only_scripts_of_this_page(name):
    text = (FOLDER / name).read_text()

    assert len(IMPORTS.findall(text)) == text.count("import ")
    assert set(IMPORTS.findall(text)) <= set(SCRIPTS)


def test_the_page_says_how_many_credits_a_new_account_gets(client, settings: Settings):
    settings.SIGNUP_CREDITS = 77

    assert "<strong>77 free credits</strong>" in client.get("/").content.decode()


@pytest.mark.parametrize("link", ["/api/v1/docs/", "/api/v1/redoc/", "/admin/"])
def test_the_page_leads_to_the_documentation_and_the_staff(page, link):
    assert link in REFERENCES.findall(page)


def test_the_figure_of_credits_leads_to_the_credits(page):
    assert 'id="wallet" href="/?billing"' in page


def test_pages_without_an_icon_of_their_own_get_the_sites(client):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, static("genvid/mark.svg"))
