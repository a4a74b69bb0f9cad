"""The operator's name, color, logo and support address on pages and in mails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from genvid.brand import shades
from genvid.tests.factories import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json
import genvid.settings as s
print(json.dumps([s.DEFAULT_FROM_EMAIL, s.UNFOLD["SITE_HEADER"], s.UNFOLD["COLORS"]["primary"]["500"],
    s.SPECTACULAR_SETTINGS["TITLE"], s.SPECTACULAR_SETTINGS.get("CONTACT")]))
"""


@pytest.fixture
def films(settings):
    settings.BRAND_NAME, settings.BRAND_COLOR = "Olive & Films", "#00aa11"
    settings.BRAND_LOGO_URL = "https://cdn.films.example/logo.png"


def settings_with(folder: Path, **brand: str) -> list:
    """The settings of genvid/settings.py in a process of its own."""
    given = {"GENVID_VAR": str(folder), "PATH": os.environ["PATH"], "SECRET_KEY": "s" * 50, "SALT_KEY": "salt"}
    loaded = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=given | brand, cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert loaded.returncode == 0, loaded.stderr
    return list(json.loads(loaded.stdout))


def test_sender_admin_and_api_are_named_by_the_brand(tmp_path):
    brand = {"BRAND_NAME": "Olive & Films", "BRAND_COLOR": "#00aa11", "SUPPORT_EMAIL": "help@films.example"}
    contact = {"name": "Olive & Films", "email": "help@films.example"}
    expected = ["Olive & Films <help@films.example>", "Olive & Films", "#00aa11", "Olive & Films", contact]
    assert settings_with(tmp_path, **brand) == expected


def test_without_a_brand_the_service_is_called_genvid(tmp_path):
    assert settings_with(tmp_path) == ["genvid <no-reply@localhost>", "genvid", "#4f46e5", "genvid", None]


def test_a_name_with_a_comma_is_one_sender(tmp_path):
    assert settings_with(tmp_path, BRAND_NAME="Olive, Films")[0] == '"Olive, Films" <no-reply@localhost>'


@pytest.mark.parametrize("address", ["/", "/docs/"])
def test_pages_show_name_logo_and_color(client, films, address):
    page = client.get(address)
    assert "<title>" in page.content.decode() and "genvid studio" not in page.content.decode()
    assert 'src="https://cdn.films.example/logo.png"' in page.content.decode()
    assert "Olive &amp; Films" in page.content.decode()
    assert '<link rel="stylesheet" href="/brand.css">' in page.content.decode()
    (images,) = [part for part in page.headers["Content-Security-Policy"].split("; ") if part.startswith("img-src")]
    assert "https://cdn.films.example" in images.split()


def test_the_title_of_the_front_page_is_the_brands_studio(client, films):
    assert "<title>Olive &amp; Films studio</title>" in client.get("/").content.decode()


def test_the_stylesheet_has_the_brands_color(client, films):
    answer = client.get("/brand.css")
    assert (answer.content, answer.headers["Content-Type"]) == (b":root { --brand: #00aa11; }\n", "text/css")


@pytest.mark.django_db
def test_the_admin_has_the_brands_colors_and_keeps_its_others(settings):
    settings.UNFOLD = settings.UNFOLD | {"SITE_TITLE": "Olive Films", "COLORS": {"primary": shades("#00aa11")}}
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", PASSWORD))
    page = client.get("/admin/").content.decode()
    assert ["Olive Films" in page, "--color-primary-600: rgb(0, 170, 17);" in page] == [True, True]
    assert ["--color-primary-950: color-mix(in oklab, #00aa11 42%, black);" in page, "--color-base-50:" in page] == [
        True,
        True,
    ]


def test_a_palette_has_every_weight_that_the_admin_uses():
    assert list(shades("#00aa11")) == [str(weight) for weight in (50, *range(100, 1000, 100), 950)]
