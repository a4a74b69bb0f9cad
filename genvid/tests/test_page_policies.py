"""Every page has its policies, and loads only pictures and films from other hosts."""

import re
from contextlib import closing

import pytest
from django.test import Client

from accounts.models import User
from genvid.api.redoc import FOREIGN_LOGO
from genvid.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
PAGES = [
    "/",
    "/admin/",
    "/admin/videos/video/",
    "/admin/login/?next=/admin/",
    "/api/v1/docs/",
    "/api/v1/docs/?script=",
    "/api/v1/redoc/",
    "/api/v1/redoc/redoc.js",
    "/docs/",
    "/docs/errors",
]
PICTURES_AND_FILMS = {"img-src", "media-src"}


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.com", PASSWORD))
    return client


def policy_of(response) -> dict[str, list[str]]:
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_a_policy_and_names_no_foreign_host(staff, page):
    response = staff.get(page)
    policy = policy_of(response)
    foreign = {
        name: source
        for name, sources in policy.items()
        for source in sources
        if name not in PICTURES_AND_FILMS and not source.startswith("'") and source not in ("data:", "blob:")
    }
    assert (foreign, policy["frame-ancestors"], policy["base-uri"]) == ({}, ["'none'"], ["'none'"])
    owner = "self" if page == "/" else ""
    permissions = response["Permissions-Policy"].split(", ")
    assert {f"camera=({owner})", f"microphone=({owner})", "geolocation=()", "payment=()"} <= set(permissions)


@pytest.mark.parametrize(
    ("page", "directive", "word"),
    [
        ("/admin/", "script-src", "'unsafe-eval'"),
        ("/admin/", "style-src", "'unsafe-inline'"),
        ("/api/v1/docs/", "style-src", "'unsafe-inline'"),
        ("/api/v1/redoc/", "style-src", "'unsafe-inline'"),
    ],
)
def test_each_loosening_stands_in_one_directive_of_one_page(staff, page, directive, word):
    policy = policy_of(staff.get(page))
    loosened = {name for name, sources in policy.items() if word in sources}
    assert loosened == {directive}


@pytest.mark.parametrize("page", ["/", "/static/genvid/mark.svg", "/docs/errors"])
def test_other_pages_loosen_nothing(client, page):
    with closing(client.get(page)) as response:
        assert "unsafe" not in response["Content-Security-Policy"]


@pytest.mark.parametrize("page", ["/api/v1/docs/", "/api/v1/redoc/"])
def test_the_pages_of_the_api_have_no_script_in_them_and_none_from_elsewhere(client, page):
    html = client.get(page).content.decode()
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", html, flags=re.DOTALL)
    assert scripts and all('src="/' in attributes and not code.strip() for attributes, code in scripts)
    assert re.findall(r"""(?:src|href)=["'](https?:)?//""", html) == []


def test_redoc_asks_no_other_host_for_a_picture(client):
    response = client.get("/api/v1/redoc/redoc.js")
    assert (response.status_code, response["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert (FOREIGN_LOGO in response.content, b"genvid/mark" in response.content) == (False, True)


def test_redocs_script_is_named_by_its_content_and_may_come_compressed(client):
    whole, small = (
        client.get("/api/v1/redoc/redoc.js"),
        client.get("/api/v1/redoc/redoc.js", HTTP_ACCEPT_ENCODING="gzip"),
    )
    assert small["Content-Encoding"] == "gzip" and len(small.content) < len(whole.content) / 2
    again = client.get("/api/v1/redoc/redoc.js", HTTP_IF_NONE_MATCH=whole["ETag"])
    assert (again.status_code, small["ETag"]) == (304, whole["ETag"])


@pytest.mark.parametrize("path", ["/api/v1/profile", "/healthz"])
def test_an_answer_in_json_is_no_page(client, path):
    assert "Content-Security-Policy" not in client.get(path)
